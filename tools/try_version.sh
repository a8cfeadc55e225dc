#!/usr/bin/env bash
# try_version.sh PYTHON [pytest options]: the demo and the fast tests with that Python and the newest packages that
# pyproject.toml allows, Dagster among them, in an environment of their own under .versions/.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
shift
environment=.versions/$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -m venv --clear "$environment"
.venv/bin/uv pip install --quiet --python "$environment/bin/python" --group build
.venv/bin/uv pip install --quiet --python "$environment/bin/python" --no-build-isolation --editable '.[dev]'
"$environment/bin/python" -c 'import dagster, sys; print("Python", sys.version.split()[0], "Dagster", dagster.__version__)'
data=$(mktemp -d)
ORDER_ASSETS_DATA=$data DAGSTER_HOME='' "$environment/bin/order-assets" demo
rm -r "$data"
"$environment/bin/python" -m pytest -q "$@"
