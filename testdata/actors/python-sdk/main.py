"""Squares the numbers of the input and adds them up."""

import asyncio

from apify import Actor


async def main() -> None:
    async with Actor:
        actor_input = await Actor.get_input() or {}
        numbers = actor_input.get('numbers', [])
        total = 0
        for done, number in enumerate(numbers, start=1):
            if isinstance(number, bool) or not isinstance(number, int | float):
                await Actor.fail(status_message=f'{number!r} is not a number')
                return
            await Actor.push_data({'number': number, 'square': number * number})
            total += number * number
            await Actor.set_status_message(f'Squared {done} of {len(numbers)} numbers')
        await Actor.set_value('OUTPUT', {'sum': total})
        await Actor.set_value('REPORT', f'The squares add up to {total}.\n', content_type='text/plain')
        await Actor.exit(status_message=f'The squares of {len(numbers)} numbers add up to {total}')


asyncio.run(main())
