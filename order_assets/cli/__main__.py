"""`python -m order_assets.cli` is the command `order-assets`."""

import sys

from order_assets.cli.main import main

sys.exit(main())
