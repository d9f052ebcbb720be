"""Where the Actor starts: reads the input, stores the results."""

from apify import Actor

from .words import count_words


async def main() -> None:
    """Count the words of the input's text."""
    async with Actor:
        # Fields that the input leaves out have the defaults of .actor/input_schema.json.
        actor_input = await Actor.get_input()
        if not actor_input:
            raise ValueError('There is no input; "apify run" makes one from .actor/input_schema.json.')

        counts = count_words(actor_input['text'])
        words = sum(count for _, count in counts)
        Actor.log.info(f'Counted {words} words')

        # Items of the dataset are the results: a table that everybody can download.
        items = [{'word': word, 'count': count} for word, count in counts]
        await Actor.push_data(items[: actor_input['limit']])
        # The key-value store keeps anything else, under names of your choice.
        await Actor.set_value('OUTPUT', {'words': words, 'different': len(counts)})

        await Actor.exit(status_message=f'Counted {words} words, {len(counts)} of them different')
