"""Calls every method that the official Python client has for tasks, schedules,
webhooks and their dispatches, on the server at $BASE_URL, and fails where an
answer is not what the client's models need, or where a method was not called."""

import datetime
import inspect
import os

from apify_client import ApifyClient

client = ApifyClient(os.environ['TOKEN'], api_url=os.environ['BASE_URL'], max_retries=0)
receiver = os.environ['RECEIVER_URL']
methods, called = set(), set()


def note(cls, name, method):
    def noted(*args, **kwargs):
        called.add(f'{cls.__name__}.{name}')
        return method(*args, **kwargs)

    setattr(cls, name, noted)


for one in [client.task('x'), client.tasks(), client.schedule('x'), client.schedules(),
            client.webhook('x'), client.webhooks(), client.webhook_dispatch('x'), client.webhook_dispatches()]:
    for name, method in inspect.getmembers(type(one), inspect.isfunction):
        if not name.startswith('_'):
            methods.add(f'{type(one).__name__}.{name}')
            note(type(one), name, method)


def as_dict(value):
    """The client gives models in its newer versions and dicts in its older ones."""
    if value is None or isinstance(value, dict):
        return value
    return value.model_dump(by_alias=True, mode='json')


def tasks():
    created = as_dict(client.tasks().create(actor_id='me/scripted', name='py-task', task_input={'a': 1}, memory_mbytes=256,
                                            run_timeout=datetime.timedelta(seconds=60), title='T', description='D'))
    task = client.task('me/py-task')
    got = as_dict(task.get())
    assert (got['id'], got['input'], got['options']['memoryMbytes'], got['options']['timeoutSecs']) == (created['id'], {'a': 1}, 256, 60), got
    assert client.task('nothing').get() is None
    changed = as_dict(task.update(title='U', memory_mbytes=512))
    assert (changed['title'], changed['options']['memoryMbytes'], changed['options']['timeoutSecs']) == ('U', 512, 60), changed
    assert as_dict(task.publish())['isPublic'] is True
    assert as_dict(task.unpublish())['isPublic'] is False
    assert task.get_input() == {'a': 1}
    assert task.update_input(task_input={'b': 2}) == {'a': 1, 'b': 2}
    started = as_dict(task.start(task_input={'b': 3}, memory_mbytes=128, wait_for_finish=60,
                                 webhooks=[{'eventTypes': ['ACTOR.RUN.SUCCEEDED'], 'requestUrl': receiver}]))
    assert (started['actorTaskId'], started['options']['memoryMbytes'], started['status']) == (created['id'], 128, 'SUCCEEDED'), started
    record = client.key_value_store(started['defaultKeyValueStoreId']).get_record('INPUT')
    assert record['value'] == {'a': 1, 'b': 3}, record
    finished = as_dict(task.call())
    assert finished['status'] == 'SUCCEEDED', finished
    assert as_dict(task.last_run(status='SUCCEEDED').get())['id'] == finished['id']
    assert [r['id'] for r in as_dict(task.runs().list(desc=True))['items']] == [finished['id'], started['id']]
    client.webhooks().create(event_types=['ACTOR.RUN.FAILED'], request_url=receiver, actor_task_id=created['id'])
    assert as_dict(task.webhooks().list())['total'] == 1
    assert as_dict(client.tasks().list(limit=1, desc=True))['items'][0]['actName'] == 'scripted'
    assert len(list(client.tasks().iterate())) == 1
    return created['id']


def schedules(task):
    created = as_dict(client.schedules().create(
        cron_expression='0 8 * * 1-5', is_enabled=True, is_exclusive=False, name='py-schedule', timezone='Europe/Prague', description='D',
        title='T', notifications_email=True, actions=[
            {'type': 'RUN_ACTOR_TASK', 'actorTaskId': task, 'input': {'c': 1}},
            {'type': 'RUN_ACTOR', 'actorId': 'me/scripted', 'runInput': {'body': '{}', 'contentType': 'application/json'}},
        ]))
    schedule = client.schedule(created['id'])
    got = as_dict(schedule.get())
    assert got['nextRunAt'] and got['notifications']['email'] is True and len(got['actions']) == 2, got
    assert client.schedule('nothing').get() is None
    assert as_dict(schedule.update(is_enabled=False))['isEnabled'] is False
    assert list(schedule.get_log()) == []
    assert as_dict(client.schedules().list())['total'] == 1
    assert len(list(client.schedules().iterate(limit=5))) == 1
    schedule.delete()
    assert schedule.get() is None


def webhooks(task):
    settings = {'event_types': ['ACTOR.RUN.SUCCEEDED'], 'request_url': receiver, 'actor_task_id': task, 'idempotency_key': 'py',
                'payload_template': '{"type":"{{eventType}}"}', 'headers_template': '{"X-A":"b"}', 'should_interpolate_strings': True}
    created = as_dict(client.webhooks().create(**settings))
    assert as_dict(client.webhooks().create(**settings))['id'] == created['id']
    webhook = client.webhook(created['id'])
    assert as_dict(webhook.get())['payloadTemplate'] == settings['payload_template']
    assert client.webhook('nothing').get() is None
    assert as_dict(webhook.update(do_not_retry=True))['doNotRetry'] is True
    test = as_dict(webhook.test())
    assert test['eventType'] == 'TEST', test
    dispatch = {'status': 'ACTIVE'}
    while dispatch['status'] == 'ACTIVE':
        dispatch = as_dict(client.webhook_dispatch(test['id']).get())
    assert (dispatch['status'], dispatch['calls'][0]['responseStatus'], dispatch['calls'][0]['responseBody']) == ('SUCCEEDED', 200, 'received'), dispatch
    assert client.webhook_dispatch('nothing').get() is None
    assert as_dict(webhook.dispatches().list())['total'] == 1
    assert as_dict(client.webhook_dispatches().list(desc=True))['total'] >= 1
    assert len(list(client.webhook_dispatches().iterate())) >= 1
    assert as_dict(client.webhooks().list(limit=1))['total'] >= 2
    assert len(list(client.webhooks().iterate())) >= 2
    webhook.delete()
    assert webhook.get() is None


task = tasks()
schedules(task)
webhooks(task)
client.task(task).delete()
assert client.task(task).get() is None
assert methods == called, f'methods that were not called: {methods - called}'
print('ok')
