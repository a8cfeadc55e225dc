"""What holds for all tests stands in order_assets.testing."""

from order_assets.testing.fixtures import no_token_of_another_test, state_folder  # noqa: F401
