"""Drives every storage call of the official Python client against the server at
$BASE_URL, and fails where an answer is not what the client's models need."""

import datetime
import os

from apify_client import ApifyClient

client = ApifyClient(os.environ['TOKEN'], api_url=os.environ['BASE_URL'], max_retries=0)


def as_dict(value):
    """The client gives models in its newer versions and dicts in its older ones."""
    if value is None or isinstance(value, dict):
        return value
    return value.model_dump(by_alias=True, mode='json')


def datasets():
    created = as_dict(client.datasets().get_or_create(name='py-items'))
    dataset = client.dataset(created['id'])
    dataset.push_items([{'n': i, 'text': 'x' * 100} for i in range(300)])
    dataset.push_items({'n': 300})
    page = dataset.list_items(offset=1, limit=2, fields=['n'])
    assert page.items == [{'n': 1}, {'n': 2}], page.items
    assert (page.total, page.offset, page.count, page.limit, page.desc) == (301, 1, 2, 2, False), vars(page)
    assert len(list(dataset.iterate_items())) == 301
    assert as_dict(dataset.get())['itemCount'] == 301
    assert as_dict(dataset.update(name='py-renamed'))['name'] == 'py-renamed'
    assert as_dict(client.datasets().list(unnamed=True))['total'] >= 1
    dataset.delete()
    assert dataset.get() is None


def key_value_stores():
    created = as_dict(client.key_value_stores().get_or_create(name='py-values'))
    store = client.key_value_store(created['id'])
    store.set_record('object', {'a': [1.5, None]})
    store.set_record('big', 'y' * 5000)
    store.set_record('bytes', b'\x00\xff')
    assert store.get_record('object')['value'] == {'a': [1.5, None]}
    assert store.get_record('big')['value'] == 'y' * 5000
    assert store.get_record('bytes')['value'] == b'\x00\xff'
    assert store.get_record('missing') is None
    assert store.record_exists('big') and not store.record_exists('missing')
    assert len(as_dict(store.list_keys())['items']) == 3
    assert as_dict(store.list_keys(limit=1))['nextExclusiveStartKey'] == 'big'
    store.delete_record('big')
    assert as_dict(client.key_value_stores().list())['total'] >= 1
    assert as_dict(store.update(name='py-values-2'))['name'] == 'py-values-2'
    store.delete()


def request_queues():
    created = as_dict(client.request_queues().get_or_create(name='py-todo'))
    queue = client.request_queue(created['id'], client_key='py-client')
    added = as_dict(queue.add_request({'url': 'http://example.com/a', 'uniqueKey': 'a'}, forefront=True))
    assert added['wasAlreadyPresent'] is False
    batch = as_dict(queue.batch_add_requests([
        {'url': f'http://example.com/{i}', 'uniqueKey': f'k{i}', 'method': 'GET'} for i in range(60)
    ]))
    assert len(batch['processedRequests']) == 60 and batch['unprocessedRequests'] == [], batch
    assert as_dict(queue.list_head(limit=3))['items'][0]['id'] == added['requestId']
    locked = as_dict(queue.list_and_lock_head(lock_duration=datetime.timedelta(seconds=30), limit=5))
    assert len(locked['items']) == 5 and locked['queueHasLockedRequests'] is True
    assert as_dict(queue.prolong_request_lock(added['requestId'], lock_duration=datetime.timedelta(seconds=60)))['lockExpiresAt']
    request = as_dict(queue.get_request(added['requestId']))
    assert request['method'] == 'GET' and request['headers'] == {} and request['noRetry'] is False, request
    handled = as_dict(queue.update_request({
        'id': added['requestId'], 'url': 'http://example.com/a', 'uniqueKey': 'a',
        'handledAt': '2026-11-22 04:01:22.477832+00:00',
    }))
    assert handled['wasAlreadyHandled'] is False
    assert as_dict(queue.get_request(added['requestId']))['handledAt'].startswith('2026-11-22T04:01:22.477')
    queue.delete_request_lock(locked['items'][1]['id'])
    assert as_dict(queue.unlock_requests())['unlockedCount'] == 3
    assert len(as_dict(queue.list_requests(limit=100))['items']) == 61
    queue.batch_delete_requests([{'uniqueKey': 'k1'}])
    queue.delete_request(added['requestId'])
    assert queue.get_request('nothing') is None
    info = as_dict(queue.get())
    assert info['hadMultipleClients'] is False and info['pendingRequestCount'] == 59, info
    assert as_dict(client.request_queues().list())['total'] >= 1
    queue.delete()


me = client.user('me').get()
assert type(me).__name__ in ('dict', 'UserPrivateInfo'), type(me)
assert as_dict(me)['username'] == 'me'
datasets()
key_value_stores()
request_queues()
assert client.run('nothing').get() is None
assert client.log('nothing').get() is None
assert as_dict(client.runs().list())['items'] == []
print('ok')
