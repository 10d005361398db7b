#!/usr/bin/env bash
# build_former.sh COMMIT: the package as it was then, with a lower version number, into build/former; what
# tests/system/test_upgrade.py upgrades from. After `make deb`, whose .venv it uses.
set -euo pipefail
commit=${1:?usage: build_former.sh COMMIT}
cd "$(dirname "$0")/../.."
checkout=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git clone -q --shared --no-checkout . "$tree/source"
cd "$tree/source"
git checkout -q "$commit"
sed -i 's/^version = ".*"/version = "0.0.9"/' pyproject.toml
git -c user.name=former -c user.email=former@example.org commit -q -a -m "A lower number"
ln -s "$checkout/.venv" .venv
mkdir -p "$checkout/build/former"
packaging/debian/build "$checkout/build/former"
