"""Calls every method that the official Python client has for storages, on the
server at $APIFY_API_BASE_URL, and fails where an answer is not what the method
promises, or where a method was not called.

client.py sync|async
"""

import asyncio
import datetime
import inspect
import io
import json
import os
import sys
import urllib.error
import urllib.request

from apify_client import ApifyClient, ApifyClientAsync
from apify_client.errors import ApifyApiError

MODE = sys.argv[1]
URL, TOKEN = os.environ['APIFY_API_BASE_URL'], os.environ['APIFY_TOKEN']
make = ApifyClientAsync if MODE == 'async' else ApifyClient
client = make(TOKEN, api_url=URL, api_public_url=URL, max_retries=0)
stranger = make(api_url=URL, max_retries=0)
second = datetime.timedelta(seconds=1)

# What is called is noted by methods that take the place of the client's.
methods, called = set(), set()


def note(cls, name, method):
    def noted(*args, **kwargs):
        called.add(f'{cls.__name__}.{name}')
        return method(*args, **kwargs)

    setattr(cls, name, noted)


def watch():
    kinds = [client.dataset('x'), client.datasets(), client.key_value_store('x'), client.key_value_stores(),
             client.request_queue('x'), client.request_queues()]
    for cls in map(type, kinds):
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith('_'):
                methods.add(f'{cls.__name__}.{name}')
                note(cls, name, method)


async def done(value):
    """The asynchronous client's answers must be waited for."""
    return await value if inspect.isawaitable(value) else value


async def every(iterable):
    iterable = await done(iterable)
    if hasattr(iterable, '__aiter__'):
        return [one async for one in iterable]
    return list(iterable)


async def streamed(manager, found=lambda it: it):
    """All that a stream gives."""
    if hasattr(manager, '__aenter__'):
        async with manager as it:
            if found(it) is None:
                return None
            return b''.join([chunk async for chunk in found(it).aiter_bytes()])
    with manager as it:
        return None if found(it) is None else b''.join(found(it).iter_bytes())


async def refused(value, *statuses):
    try:
        await done(value() if callable(value) else value)
    except ApifyApiError as error:
        assert error.status_code in statuses, (error.status_code, str(error))
    else:
        raise AssertionError('nothing was refused')


def fetch(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def equal(got, want):
    assert got == want, f'{got!r} instead of {want!r}'


async def collections(all_of, one_of):
    made = [(await done(all_of().get_or_create(name=f'py-many-{i}'))).id for i in range(5)]
    page = await done(all_of().list(limit=2, offset=1, desc=False))
    equal([len(page.items), page.count, page.limit, page.offset, page.desc], [2, 2, 2, 1, False])
    named = await every(all_of().iterate(desc=True))
    equal([s.name for s in named[:5]], [f'py-many-{4 - i}' for i in range(5)])
    equal(page.total, len(named))
    unnamed = (await done(all_of().get_or_create())).id
    everything = await every(all_of().iterate(unnamed=True, chunk_size=3))
    assert len(everything) > len(named) and unnamed in [s.id for s in everything]
    equal(len(await every(all_of().iterate(limit=3, chunk_size=2))), 3)
    equal((await done(all_of().list(ownership='sharedWithMe'))).items, [])
    await refused(lambda: all_of().get_or_create(name='no name/at all'), 400)
    for storage in [*made, unnamed]:
        await done(one_of(storage).delete())
    equal(await done(one_of(unnamed).get()), None)


async def datasets():
    schema = {'actorSpecification': 1, 'fields': {'type': 'object', 'properties': {'n': {'type': 'integer'}}}, 'views': {}}
    created = await done(client.datasets().get_or_create(name='py-items', schema=schema))
    equal((await done(client.datasets().get_or_create(name='py-items'))).id, created.id)
    unnamed = await done(client.datasets().get_or_create())
    dataset = client.dataset(created.id)
    await done(dataset.push_items({'n': 0}))
    await done(dataset.push_items(['{"n":1}', {'n': 2}]))
    await done(dataset.push_items('{"n":3}'))
    more = [{'n': i, '#hidden': i, 'deep': {'a': {'b': i}}, 'list': [{'x': 1}, {'x': 2}], 'text': 'x' * 100} for i in range(4, 504)]
    await done(dataset.push_items(more))
    await refused(lambda: dataset.push_items({'n': 'seven'}), 400)

    page = await done(dataset.list_items(offset=1, limit=2, desc=False, fields=['n'], clean=True))
    equal((page.items, page.total, page.offset, page.count, page.limit, page.desc), ([{'n': 1}, {'n': 2}], 504, 1, 2, 2, False))
    equal((await done(dataset.list_items(desc=True, limit=1, omit=['text', 'list', 'deep']))).items, [{'n': 503, '#hidden': 503}])
    equal((await done(dataset.list_items(offset=4, limit=1, unwind=['list'], fields=['n', 'x']))).items, [{'n': 4, 'x': 1}, {'n': 4, 'x': 2}])
    equal((await done(dataset.list_items(offset=4, limit=1, flatten=['deep'], skip_hidden=True, omit=['text', 'list']))).items,
          [{'n': 4, 'deep.a.b': 4}])
    equal((await done(dataset.list_items(limit=1, fields=['nothing'], skip_empty=True))).items, [])
    equal([i['n'] for i in await every(dataset.iterate_items(chunk_size=100))], list(range(504)))
    equal([i['n'] for i in await every(dataset.iterate_items(chunk_size=7, offset=490, limit=10))], list(range(490, 500)))
    equal([i['n'] for i in await every(dataset.iterate_items(desc=True, limit=2))], [503, 502])

    for kind in ['json', 'jsonl', 'csv', 'html', 'xlsx', 'xml', 'rss']:
        whole = await done(dataset.get_items_as_bytes(item_format=kind, limit=10, attachment=True))
        assert whole, kind
        if kind not in ('xlsx', 'rss'):  # these two have the time in them
            equal(await streamed(dataset.stream_items(item_format=kind, limit=10)), whole)
        else:
            assert await streamed(dataset.stream_items(item_format=kind, limit=10)), kind
    equal(await done(dataset.get_items_as_bytes(item_format='csv', fields=['n'], limit=1, bom=False, delimiter=';')), b'n\n0\n')
    equal(await done(dataset.get_items_as_bytes(item_format='csv', fields=['n'], limit=1, skip_header_row=True, bom=True)), b'\xef\xbb\xbf0\n')
    assert b'<all>\n<one><n>0</n></one>\n</all>' in await streamed(dataset.stream_items(item_format='xml', limit=1, xml_root='all', xml_row='one'))
    equal(len(json.loads(await streamed(dataset.stream_items()))), 504)

    info = await done(dataset.get())
    equal((info.id, info.name, info.item_count), (created.id, 'py-items', 504))
    assert info.created_at <= info.modified_at
    statistics = (await done(dataset.get_statistics())).model_dump(by_alias=True)
    n = statistics['fieldStatistics']['n']
    equal((n['min'], n['max']), (0, 503))
    link = await done(dataset.create_items_public_url(limit=2, fields=['n'], expires_in=60 * second))
    equal(json.loads(fetch(link)[1]), [{'n': 0}, {'n': 1}])
    assert fetch(link.replace('signature=', 'signature=_'))[0] >= 400
    equal(fetch(await done(dataset.create_items_public_url(item_format='csv')))[0], 200)
    assert fetch(f'{URL}/v2/datasets/{created.id}/items')[0] >= 400
    await refused(lambda: stranger.dataset(created.id).list_items(), 401)

    equal((await done(dataset.update(name='py-renamed'))).name, 'py-renamed')
    me = (await done(client.user().get())).username
    equal((await done(client.dataset(f'{me}/py-renamed').get())).id, created.id)
    equal(await done(client.dataset('py-items').get()), None)
    await refused(lambda: client.dataset(unnamed.id).update(name='py-renamed'), 409)
    await collections(client.datasets, client.dataset)
    await done(dataset.delete())
    equal(await done(dataset.get()), None)
    await refused(lambda: dataset.push_items({'n': 1}), 404)
    await done(client.dataset(unnamed.id).delete())


async def key_value_stores():
    created = await done(client.key_value_stores().get_or_create(name='py-values'))
    store = client.key_value_store(created.id)
    await done(store.set_record('object', {'a': [1.5, None, 'é']}))
    await done(store.set_record('big', 'y' * 300_000))
    await done(store.set_record("odd(k)e'y!.-_", 'text', content_type='text/plain'))
    await done(store.set_record('image.png', b'\x00\xff\x01\xfe', content_type='image/png'))
    await done(store.set_record('empty', b''))
    await done(store.set_record('stream', io.BytesIO(b'a' * 700_000)))
    await done(store.set_record('page.html', '<h1>x</h1>', content_type='text/html'))
    await refused(lambda: store.set_record('k' * 257, 'x'), 400)

    equal((await done(store.get_record('object')))['value'], {'a': [1.5, None, 'é']})
    equal((await done(store.get_record('big')))['value'], 'y' * 300_000)
    odd = await done(store.get_record("odd(k)e'y!.-_"))
    assert (odd['value'], odd['content_type'].split(';')[0]) == ('text', 'text/plain'), odd
    equal((await done(store.get_record('image.png')))['value'], b'\x00\xff\x01\xfe')
    equal((await done(store.get_record('page.html')))['value'], '<h1>x</h1>')
    equal(await done(store.get_record('missing')), None)
    equal(json.loads((await done(store.get_record_as_bytes('object')))['value']), {'a': [1.5, None, 'é']})
    equal((await done(store.get_record_as_bytes('empty')))['value'], b'')
    equal(await done(store.get_record_as_bytes('missing')), None)
    equal(await streamed(store.stream_record('stream'), lambda it: it and it['value']), b'a' * 700_000)
    equal(await streamed(store.stream_record('missing'), lambda it: it and it['value']), None)
    equal((await done(store.record_exists('object')), await done(store.record_exists('missing'))), (True, False))
    await done(store.set_record('object', 'replaced'))
    equal((await done(store.get_record('object')))['value'], 'replaced')

    keys = await done(store.list_keys(limit=2))
    equal(([k.key for k in keys.items], keys.is_truncated, keys.limit, keys.next_exclusive_start_key), (['big', 'empty'], True, 2, 'empty'))
    following = await done(store.list_keys(exclusive_start_key='empty', limit=1))
    equal([(k.key, k.size) for k in following.items], [('image.png', 4)])
    equal([k.key for k in await every(store.iterate_keys(chunk_size=3))],
          ['big', 'empty', 'image.png', 'object', "odd(k)e'y!.-_", 'page.html', 'stream'])
    equal([k.key for k in await every(store.iterate_keys(prefix='o', limit=5))], ['object', "odd(k)e'y!.-_"])
    equal(len(await every(store.iterate_keys(exclusive_start_key='object', limit=2, chunk_size=1))), 2)
    await refused(lambda: store.list_keys(collection='none'), 400)

    link = await done(store.get_record_public_url('image.png'))
    equal(fetch(link), (200, b'\x00\xff\x01\xfe'))
    assert fetch(link.replace('image.png', 'stream'))[0] >= 400
    link = await done(store.create_keys_public_url(limit=1, prefix='i', expires_in=60 * second))
    equal([k['key'] for k in json.loads(fetch(link)[1])['data']['items']], ['image.png'])
    equal(fetch(await done(store.create_keys_public_url()))[0], 200)
    assert fetch(f'{URL}/v2/key-value-stores/{created.id}/records/object')[0] >= 400

    await done(store.delete_record('object'))
    await done(store.delete_record('object'))
    equal(await done(store.record_exists('object')), False)
    equal((await done(store.update(name='py-values-2'))).name, 'py-values-2')
    equal((await done(store.get())).id, created.id)
    await collections(client.key_value_stores, client.key_value_store)
    await done(store.delete())
    equal(await done(store.get()), None)
    await refused(lambda: store.set_record('late', 1), 404)


async def request_queues():
    created = await done(client.request_queues().get_or_create(name='py-todo'))
    queue = client.request_queue(created.id, client_key='py-client')

    def request(n):
        return {'url': f'http://example.com/{n}', 'uniqueKey': f'k{n}', 'method': 'POST', 'payload': 'p', 'userData': {'n': n}}

    last = await done(queue.add_request(request(0)))
    equal((last.was_already_present, last.was_already_handled), (False, False))
    equal((await done(queue.add_request(request(0)))).was_already_present, True)
    first = await done(queue.add_request({'url': 'http://example.com/a', 'uniqueKey': 'a'}, forefront=True))
    parallel = {'max_parallel': 3} if MODE == 'async' else {}
    batch = await done(queue.batch_add_requests([request(i) for i in range(110)], **parallel))
    equal((len(batch.processed_requests), batch.unprocessed_requests), (110, []))
    equal(len([r for r in batch.processed_requests if r.was_already_present]), 1)
    await done(queue.batch_add_requests([{'url': 'http://example.com/f', 'uniqueKey': 'f'}], forefront=True))

    head = await done(queue.list_head(limit=3))
    equal(([r.unique_key for r in head.items], head.limit, head.had_multiple_clients), (['f', 'a', 'k0'], 3, False))
    locked = await done(queue.list_and_lock_head(lock_duration=60 * second, limit=5))
    equal(([r.unique_key for r in locked.items[:2]], len(locked.items), locked.queue_has_locked_requests), (['f', 'a'], 5, True))
    now = datetime.datetime.now(datetime.timezone.utc)
    assert all(r.lock_expires_at > now for r in locked.items)
    other = client.request_queue(created.id, client_key='other')
    await refused(lambda: other.prolong_request_lock(first.request_id, lock_duration=second), 403)
    await refused(lambda: other.delete_request_lock(first.request_id), 403)
    prolonged = await done(queue.prolong_request_lock(first.request_id, lock_duration=120 * second, forefront=True))
    assert prolonged.lock_expires_at > now + 100 * second

    one = await done(queue.get_request(last.request_id))
    equal((one.method, one.payload, one.retry_count), ('POST', 'p', 0))
    equal(await done(queue.get_request('nothing')), None)
    change = {'id': last.request_id, **request(0), 'handledAt': '2026-01-22 04:01:22.477832+00:00', 'retryCount': 1}
    handled = await done(queue.update_request(change))
    equal((handled.was_already_handled, handled.was_already_present), (False, True))
    equal((await done(queue.get_request(last.request_id))).handled_at.isoformat(), '2026-01-22T04:01:22.477000+00:00')
    equal((await done(queue.update_request(change))).was_already_handled, True)

    await done(queue.delete_request_lock(locked.items[3].id, forefront=True))
    equal((await done(queue.list_head(limit=1))).items[0].id, locked.items[3].id)
    equal(sorted(r.id for r in (await done(queue.list_requests(filter=['locked']))).items), sorted(locked.items[i].id for i in (0, 1, 4)))
    equal((await done(queue.unlock_requests())).unlocked_count, 3)

    page = await done(queue.list_requests(limit=10))
    following = await done(queue.list_requests(limit=10, cursor=page.next_cursor))
    equal(len({r.id for r in [*page.items, *following.items]}), 20)
    equal(len({r.id for r in await every(queue.iterate_requests(chunk_size=50))}), 112)
    equal(len(await every(queue.iterate_requests(limit=25, filter=['pending'], chunk_size=10))), 25)
    equal((await every(queue.iterate_requests(cursor=page.next_cursor, limit=1)))[0].id, following.items[0].id)

    deleted = await done(queue.batch_delete_requests([{'uniqueKey': 'k1'}, {'id': locked.items[4].id}]))
    equal(len(deleted.processed_requests), 2)
    await done(queue.delete_request(first.request_id))
    equal(await done(queue.get_request(first.request_id)), None)
    info = await done(queue.get())
    equal((info.total_request_count, info.handled_request_count, info.pending_request_count, info.had_multiple_clients), (109, 1, 108, True))
    equal((await done(queue.update(name='py-todo-2'))).name, 'py-todo-2')
    await collections(client.request_queues, client.request_queue)
    await done(queue.delete())
    equal(await done(queue.get()), None)
    await refused(lambda: queue.add_request(request(1)), 404)


async def main():
    watch()
    await datasets()
    await key_value_stores()
    await request_queues()
    assert not methods - called, f'methods of the client that were not called: {sorted(methods - called)}'
    print(f'called {len(called)} of {len(methods)} methods')


asyncio.run(main())
