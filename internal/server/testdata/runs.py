"""Drives every method that the official Python client has for runs, their lists,
logs and the user against the server at $BASE_URL."""

import functools
import inspect
import logging
import os
import re
import time
from datetime import timedelta
from decimal import Decimal

from apify_client import ApifyClient
from apify_client.errors import ApifyApiError

client = ApifyClient(os.environ['TOKEN'], api_url=os.environ['BASE_URL'], max_retries=0)

# Notes what was called, so that no method is forgotten when the client gets more.
called, known = set(), set()


def note(cls):
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if name.startswith('_'):
            continue
        full = f'{cls.__name__}.{name}'
        known.add(full)

        def wrap(method=method, full=full):
            @functools.wraps(method)
            def noted(*args, **kwargs):
                called.add(full)
                return method(*args, **kwargs)
            return noted

        setattr(cls, name, wrap())


for example in [client.run('x'), client.runs(), client.log('x'), client.user('me')]:
    note(type(example))


def refused(call, status):
    try:
        call()
    except ApifyApiError as e:
        assert e.status_code == status, e
        return
    raise AssertionError('it was not refused')


def says(run, pattern, times=1):
    for _ in range(500):
        found = re.findall(pattern, run.log().get() or '')
        if len(found) >= times:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError(f'the log does not say {pattern}')


quiet = logging.getLogger('quiet')
quiet.addHandler(logging.NullHandler())
quiet.propagate = False

actor = client.actor('me/scripted')
started = actor.start(run_input={'a': 1}, memory_mbytes=256, run_timeout=timedelta(seconds=500),
                      max_total_charge_usd=Decimal('5'), max_items=9, restart_on_error=True)
run = client.run(started.id)
assert run.get().options.max_total_charge_usd == 5
assert run.key_value_store().get_record('INPUT')['value'] == {'a': 1}

token = says(run, r'token (\S+)')
own = ApifyClient(token, api_url=os.environ['BASE_URL'], max_retries=0).run(started.id)
own.charge('page', count=2, idempotency_key='one')
own.charge('page', count=2, idempotency_key='one')
refused(lambda: own.charge('nothing'), 400)
refused(lambda: run.charge('page'), 403)
assert run.get().charged_event_counts['page'] == 2

assert run.update(status_message='Half way').status_message == 'Half way'
assert run.reboot().status == 'RUNNING'
says(run, r'token (\S+)', 2)
assert run.get().stats.reboot_count == 1
assert run.metamorph(target_actor_id='me/scripted', run_input={'b': 2}).metamorphs[0].input_key == 'INPUT-METAMORPH-1'
says(run, r'token (\S+)', 3)
run.dataset().push_items([{'n': 1}])
run.request_queue().add_request({'url': 'http://example.com', 'uniqueKey': 'a'})

with run.get_status_message_watcher(to_logger=quiet), run.get_streamed_log(to_logger=quiet):
    with client.log(started.id).stream() as stream:
        run.abort(gracefully=True)
        text = b''.join(stream.iter_bytes())
assert b'aborted gracefully' in text
assert run.wait_for_finish(wait_duration=timedelta(seconds=30)).status == 'ABORTED'
assert b'token' in client.log(started.id).get_as_bytes(raw=True)
assert list(run.iterate_dataset_items()) == [{'n': 1}]

again = run.resurrect(memory_mbytes=512, run_timeout=timedelta(seconds=100))
assert again.status == 'RUNNING' and again.options.memory_mbytes == 512
run.abort()
assert run.wait_for_finish().stats.resurrect_count == 1

listed = client.runs().list(desc=True, limit=5, status=['ABORTED'], started_after='2020-01-01T00:00:00Z')
assert listed.items[0].id == started.id
assert [r.id for r in client.runs().iterate()] == [started.id]
assert actor.last_run(status='ABORTED').get().id == started.id

assert client.user('me').limits().limits.max_actor_memory_gbytes == 8
assert client.user('me').monthly_usage().total_usage_credits_usd_after_volume_discount > 0
assert client.user('me').get().username == 'me'
refused(lambda: client.user('me').update_limits(max_monthly_usage_usd=5), 501)

run.delete()
assert run.get() is None
assert known == called, f'methods that nothing calls: {sorted(known - called)}'
print('ok')
