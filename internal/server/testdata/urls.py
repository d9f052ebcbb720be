"""Makes public URLs with the official Python client and opens them without a
token."""

import datetime
import json
import os
import time
import urllib.error
import urllib.request

from apify_client import ApifyClient

base = os.environ['BASE_URL']
client = ApifyClient(os.environ['TOKEN'], api_url=base, api_public_url=base, max_retries=0)


def fetch(url, status):
    try:
        with urllib.request.urlopen(url) as response:
            got, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        got, text = error.code, error.read().decode()
    assert got == status, (url, got, text)
    return text


def as_dict(value):
    return value if isinstance(value, dict) else value.model_dump(by_alias=True, mode='json')


store = client.key_value_store(as_dict(client.key_value_stores().get_or_create(name='py-urls'))['id'])
store.set_record('one', {'n': 1})
store.set_record('two', 'text')
record = store.get_record_public_url('one')
assert json.loads(fetch(record, 200)) == {'n': 1}
fetch(record.replace('/one', '/two'), 403)
fetch(record.split('?')[0], 401)
keys = json.loads(fetch(store.create_keys_public_url(limit=1), 200))['data']
assert [item['key'] for item in keys['items']] == ['one'], keys
assert json.loads(fetch(keys['items'][0]['recordPublicUrl'], 200)) == {'n': 1}
fetch(store.create_keys_public_url(expires_in=datetime.timedelta(hours=1)), 200)
brief = store.create_keys_public_url(expires_in=datetime.timedelta(seconds=1))
dataset = client.dataset(as_dict(client.datasets().get_or_create(name='py-urls'))['id'])
dataset.push_items([{'n': 1}, {'n': 2}])
assert json.loads(fetch(dataset.create_items_public_url(limit=1), 200)) == [{'n': 1}]
fetch(dataset.create_items_public_url(expires_in=datetime.timedelta(hours=1)), 200)
fetch(as_dict(dataset.get())['itemsPublicUrl'], 200)
fetch(as_dict(store.get())['keysPublicUrl'], 200)
assert as_dict(dataset.get_statistics())['fieldStatistics']['n']['max'] == 2
time.sleep(1.1)
fetch(brief, 403)
print('ok')
