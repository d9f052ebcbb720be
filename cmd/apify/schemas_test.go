package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

const schemasDefinition = `{
	"actorSpecification": 1, "name": "schemas", "version": "0.1",
	"storages": {
		"datasets": {
			"default": {
				"actorSpecification": 1,
				"fields": {"type": "object", "properties": {"price": {"type": "number"}}},
				"views": {"prices": {"title": "Prices", "transformation": {"fields": ["price"], "desc": true}}}
			},
			"more_items": {"actorSpecification": 1, "fields": {"type": "object", "required": ["id"]}}
		},
		"keyValueStore": {
			"actorKeyValueStoreSchemaVersion": 1, "title": "Files",
			"collections": {"shots": {"title": "Shots", "keyPrefix": "shot-", "contentTypes": ["image/*"]}}
		}
	},
	"output": {"actorOutputSchemaVersion": 1, "properties": {
		"prices": {"type": "string", "template": "{{links.apiDefaultDatasetUrl}}/items?view=prices"}}}
}`

// What an Actor sees of schemas: pushes that are refused, with the reasons; the
// dataset of an alias; the view and the collection; its run's output.
var schemasMain = map[string]struct{ file, code string }{
	"node": {"main.js", `
import { Actor } from 'apify';

await Actor.init();
const refused = [];
const refuse = async (what) => {
    try { await what(); refused.push('nothing'); } catch (error) {
        refused.push([error.type, ...(error.data?.invalidItems ?? []).map((item) => [item.itemPosition, item.validationErrors[0].message])]);
    }
};
await Actor.pushData([{ price: 1, name: 'a' }, { price: 2, name: 'b' }]);
await refuse(() => Actor.pushData([{ price: 3 }, { price: '4' }]));
const more = await Actor.openDataset({ alias: 'more_items' });
await more.pushData({ id: 1 });
await refuse(() => more.pushData({ price: 1 }));
await Actor.setValue('shot-1', Buffer.from('x'), { contentType: 'image/png' });
await Actor.setValue('other', 'x', { contentType: 'text/plain' });
await refuse(() => Actor.setValue('shot-2', 'x', { contentType: 'text/plain' }));
const client = Actor.newClient();
const run = await client.run(Actor.getEnv().actorRunId).get();
const { items } = await client.dataset(run.defaultDatasetId).listItems({ view: 'prices' });
const { items: keys } = await client.keyValueStore(run.defaultKeyValueStoreId).listKeys({ collection: 'shots' });
await Actor.setValue('SEEN', { refused, items, keys: keys.map((k) => k.key), more: (await more.getData()).items,
    output: run.output.prices.endsWith(` + "`/v2/datasets/${run.defaultDatasetId}/items?view=prices`" + `) });
await Actor.exit();
`},
	"python": {"main.py", `
import asyncio
import os

from apify import Actor
from apify_client.errors import ApifyApiError


async def main() -> None:
    async with Actor:
        refused = []

        async def refuse(what) -> None:
            try:
                await what
                refused.append('nothing')
            except ApifyApiError as error:
                items = (error.data or {}).get('invalidItems', [])
                refused.append([error.type, *[[item['itemPosition'], item['validationErrors'][0]['message']] for item in items]])

        await Actor.push_data([{'price': 1, 'name': 'a'}, {'price': 2, 'name': 'b'}])
        await refuse(Actor.push_data([{'price': 3}, {'price': '4'}]))
        more = await Actor.open_dataset(alias='more_items')
        await more.push_data({'id': 1})
        await refuse(more.push_data({'price': 1}))
        await Actor.set_value('shot-1', b'x', content_type='image/png')
        await Actor.set_value('other', 'x', content_type='text/plain')
        await refuse(Actor.set_value('shot-2', 'x', content_type='text/plain'))
        client = Actor.apify_client
        dataset, store = os.environ['ACTOR_DEFAULT_DATASET_ID'], os.environ['ACTOR_DEFAULT_KEY_VALUE_STORE_ID']
        page = await client.dataset(dataset).list_items(view='prices')
        keys = await client.key_value_store(store).list_keys(collection='shots')
        run = (await client.run(os.environ['ACTOR_RUN_ID']).get()).model_dump()
        output = run.get('output') or {}
        await Actor.set_value('SEEN', {
            'refused': refused, 'items': page.items, 'keys': [k.key for k in keys.items], 'more': (await more.get_data()).items,
            'output': output.get('prices', '').endswith(f'/v2/datasets/{dataset}/items?view=prices'),
        })


asyncio.run(main())
`},
}

// TestSDKsMeetSchemas lets the official SDKs run into an Actor's schemas.
func TestSDKsMeetSchemas(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links to the SDKs' folders")
	}
	for language, program := range schemasMain {
		t.Run(language, func(t *testing.T) {
			l := newLifecycle(t, language)
			for file, text := range map[string]string{program.file: program.code, ".actor/actor.json": schemasDefinition} {
				if err := os.WriteFile(filepath.Join(l.dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			cmd, storage, _ := l.run(t, "schemas")
			stdout, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, stdout)
			}
			var r api.Run
			if err := json.Unmarshal(stdout, &r); err != nil || r.Status != api.StatusSucceeded {
				t.Fatalf("%s, %v", r.Status, err)
			}
			const want = `{
				"refused": [
					["schema-validation-error", [1, "must be number"]],
					["schema-validation-error", [0, "must have required property 'id'"]],
					["schema-validation-failed"]
				],
				"items": [{"price": 2}, {"price": 1}], "keys": ["shot-1"], "more": [{"id": 1}], "output": true
			}`
			seen := read(t, filepath.Join(storage, "key_value_stores", "default", "SEEN.json"))
			if !sameJSON(t, seen, want) {
				t.Errorf("the Actor saw %s\nwant %s", seen, want)
			}
			expectItems(t, storage, `[{"price":1,"name":"a"},{"price":2,"name":"b"}]`)
		})
		// What we write beside the files of an SDK that keeps them itself must not
		// disturb it.
		t.Run(language+", not at home", func(t *testing.T) {
			l := newLifecycle(t, language)
			if err := os.WriteFile(filepath.Join(l.dir, ".actor", "actor.json"), []byte(schemasDefinition), 0o644); err != nil {
				t.Fatal(err)
			}
			l.keepsFiles(t)
		})
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var texts [2]string
	for i, text := range []string{a, b} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(again)
	}
	return texts[0] == texts[1]
}
