"""Drives every method that the official Python client has for Actors, their
versions, variables and builds against the server at $BASE_URL."""

import functools
import inspect
import json
import os
from datetime import datetime, timedelta

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


some = client.actor('x')
for example in [some, client.actors(), some.version('0.1'), some.versions(), some.version('0.1').env_var('A'),
                some.version('0.1').env_vars(), client.build('x'), client.builds()]:
    note(type(example))


def files(script):
    definition = {
        'actorSpecification': 1, 'name': 'py-actor', 'version': '0.1', 'scripts': {'run': 'sh main.sh'},
        'input': {'title': 'I', 'type': 'object', 'schemaVersion': 1,
                  'properties': {'n': {'title': 'N', 'type': 'integer', 'description': 'd'}}},
    }
    return [
        {'name': '.actor/actor.json', 'format': 'TEXT', 'content': json.dumps(definition)},
        {'name': 'main.sh', 'format': 'TEXT', 'content': script},
    ]


def refused(call, typ):
    try:
        call()
    except ApifyApiError as error:
        assert error.type == typ, error
        return
    raise AssertionError(f'not refused as {typ}')


created = client.actors().create(
    name='py-actor', title='Py', default_run_memory_mbytes=512, default_run_build='latest',
    default_run_timeout=timedelta(minutes=5), actor_standby_is_enabled=False,
    versions=[{'versionNumber': '0.1', 'sourceType': 'SOURCE_FILES', 'buildTag': 'latest', 'sourceFiles': files('echo running')}],
)
assert isinstance(created.created_at, datetime) and created.default_run_options.timeout_secs == 300
actor = client.actor(created.id)
assert client.actor('me/py-actor').get().id == created.id
assert client.actor('me/nobody').get() is None
assert actor.update(description='Described', is_public=False).description == 'Described'
assert client.actors().list(my=True, desc=True, limit=10).items[0].id == created.id
assert len(list(client.actors().iterate())) == 1

versions = actor.versions()
versions.create(version_number='0.2', source_type='SOURCE_FILES', source_files=files('echo two'), build_tag='two')
assert versions.list().total == 2
assert len(list(versions.iterate())) == 2
version = actor.version('0.2')
assert version.get().source_files[1].content == 'echo two'
assert version.update(build_tag='three').build_tag == 'three'

env_vars = version.env_vars()
env_vars.create(name='PLAIN', value='p', is_secret=False)
assert env_vars.create(name='SECRET', value='s', is_secret=True).value is None
assert len(env_vars.list().items) == 2
assert len(list(env_vars.iterate())) == 2
env_var = version.env_var('PLAIN')
assert env_var.update(name='PLAIN', value='q', is_secret=False).value == 'q'
assert env_var.get().value == 'q'
env_var.delete()
assert env_var.get() is None

build = actor.build(version_number='0.1', use_cache=True, wait_for_finish=60)
assert build.status == 'SUCCEEDED' and isinstance(build.finished_at, datetime)
assert actor.default_build().get().id == build.id
assert client.build(build.id).get().build_number == '0.1.1'
assert client.build(build.id).wait_for_finish(wait_duration=timedelta(seconds=1)).status == 'SUCCEEDED'
assert 'Build finished' in client.build(build.id).log().get()
assert client.build(build.id).get_open_api_definition()['openapi'] == '3.1.0'
assert client.build(build.id).abort().status == 'SUCCEEDED'
assert actor.builds().list().items[0].id == build.id
assert len(list(client.builds().iterate())) == 1
other = actor.build(version_number='0.2', tag='extra', wait_for_finish=60)
actor.update(tagged_builds={'beta': {'buildId': other.id}})
assert sorted(actor.get().tagged_builds) == ['beta', 'extra', 'latest']
refused(client.build(build.id).delete, 'deleting-default-build')
client.build(other.id).delete()

assert actor.validate_input({'n': 1}) is True
refused(lambda: actor.validate_input({'n': 'one'}), 'invalid-input')
assert actor.call(run_input={'n': 1}, memory_mbytes=256, logger=None).status == 'SUCCEEDED'
started = actor.start(run_input={'n': 2}, build='0.1.1', wait_for_finish=30)
assert started.build_number == '0.1.1'
assert actor.runs().list().total == 2
assert actor.last_run(status='SUCCEEDED').get().id == started.id
assert actor.webhooks()

version.delete()
actor.delete()
assert actor.get() is None
assert known == called, f'methods that nothing calls: {sorted(known - called)}'
print('ok')
