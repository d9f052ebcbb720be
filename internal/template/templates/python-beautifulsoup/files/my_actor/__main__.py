"""Runs the Actor: python3 -m my_actor."""

import asyncio

from .main import main

asyncio.run(main())
