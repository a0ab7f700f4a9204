#!/usr/bin/env bash
# The newcomer's path, checked: clone to a fresh folder, `make demo`, `make test`, look at what came out. Twice.
set -euo pipefail
source_repository=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet "$source_repository" "$work/modgap"
cd "$work/modgap"
for pass in 1 2; do
    echo "== pass $pass: make demo"
    make demo | tee "$work/demo.txt"
    report=$(grep -o '[^ ]*report\.html' "$work/demo.txt" | tail -n 1)
    test -s "$report" || { echo "acceptance: no report at '$report'"; exit 1; }
    grep -Eq '[-+]?[0-9]+\.[0-9].*\[.*[0-9].*\]|95 %' "$work/demo.txt" ||
        { echo "acceptance: the gap table shows no intervals"; exit 1; }
    if command -v chromium >/dev/null; then
        chromium --headless --no-sandbox --disable-gpu --disable-background-networking --dump-dom \
            --user-data-dir="$work/chromium-$pass" "file://$(realpath "$report")" 2>/dev/null > "$work/dom.html"
        grep -q '<svg' "$work/dom.html" || { echo "acceptance: the report does not open in Chromium"; exit 1; }
    fi
    echo "== pass $pass: make test"
    make test
done
echo "acceptance: passed twice"
