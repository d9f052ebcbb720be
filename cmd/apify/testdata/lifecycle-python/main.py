"""Does what the input's mode says, with the official SDK."""

import asyncio
import os

from apify import Actor, Event, Request


async def abort() -> None:
    told = []

    ending = asyncio.Event()

    async def aborting(_data: object) -> None:
        await Actor.push_data({'event': 'aborting', 'told': len(told)})
        ending.set()

    async def persist(_data: object) -> None:
        told.append(1)

    Actor.on(Event.PERSIST_STATE, persist)
    Actor.on(Event.ABORTING, aborting)
    await Actor.set_value('READY', True)
    await asyncio.wait_for(ending.wait(), 60)


async def info() -> None:
    came: asyncio.Future = asyncio.get_running_loop().create_future()

    async def listener(data: object) -> None:
        if not came.done():
            came.set_result(data)

    Actor.on(Event.SYSTEM_INFO, listener)
    data = await asyncio.wait_for(came, 20)
    await Actor.push_data({'memory': data.memory_info.current_size.bytes > 0, 'overloaded': data.cpu_info.used_ratio > 0.95})


async def reboot() -> None:
    dataset = await Actor.open_dataset()
    await Actor.push_data({'start': (await dataset.get_metadata()).item_count + 1})
    if not await Actor.get_value('REBOOTED'):
        await Actor.set_value('REBOOTED', True)
        await Actor.reboot()


async def call() -> None:
    run = await Actor.call(os.environ['ACTOR_FULL_NAME'], {'mode': 'child'}, logger=None)
    page = await Actor.apify_client.dataset(run.default_dataset_id).list_items()
    await Actor.push_data({'status': str(getattr(run.status, 'value', run.status)), 'own': run.id != os.environ['ACTOR_RUN_ID'], 'items': page.items})


async def child() -> None:
    print('child speaking')
    await Actor.push_data({'child': True})


async def storages() -> None:
    named = await Actor.open_key_value_store(name='my-store')
    await named.set_value('big', b'x' * 3_000_000)
    await named.set_value('gone', 1)
    await named.delete_value('gone')
    keys = [key.key async for key in named.iterate_keys()]
    queue = await Actor.open_request_queue(name='my-queue')
    await queue.add_requests([Request.from_url(f'http://example.com/{n}') for n in (1, 2, 3)])
    await queue.add_request('http://example.com/0', forefront=True)
    urls = ''
    while request := await queue.fetch_next_request():
        urls += request.url[-1]
        await queue.mark_request_as_handled(request)
    dataset = await Actor.open_dataset(name='my-data')
    await dataset.push_data([{'a': 1}, {'a': 2}])
    await Actor.push_data({
        'size': len(await named.get_value('big')), 'keys': keys, 'urls': urls,
        'finished': await queue.is_finished(), 'items': (await dataset.get_data(desc=True)).items,
    })


async def main() -> None:
    async with Actor:
        mode = (await Actor.get_input())['mode']
        await globals()[mode]()
        await Actor.exit(status_message=f'did {mode}')


asyncio.run(main())
