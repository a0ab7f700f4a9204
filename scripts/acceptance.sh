#!/usr/bin/env bash
# The newcomer's path, checked: clone, `make demo`, look at the report, ask a local server, install the wheel elsewhere.
#
#     scripts/acceptance.sh [STEP ...]    # demo, server, wheel; all of them without an argument
#
# Takes about a quarter of an hour on two cores. Nothing is left behind but a folder in $TMPDIR if a step fails.
set -euo pipefail
source_repository=$(cd "$(dirname "$0")/.." && pwd)
steps=${*:-demo server wheel}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"' EXIT
git clone --quiet "$source_repository" "$work/modgap"
cd "$work/modgap"

fail() { echo "acceptance: $*"; exit 1; }

# What a loop must leave: an interval with its verdict on the last lines, and a report that a browser opens.
check_loop() {
    grep -Eq 'points \([−+0-9.]+ to [−+0-9.]+\)' "$1" || fail "no interval after minus before in $1"
    grep -Eq 'Nothing that was tried helps|closes part of the gap|does not clearly help' "$1" || fail "no verdict in $1"
    report=$(grep -o '[^ ]*close\.html' "$1" | tail -n 1)
    test -s "$report" || fail "no report at '$report'"
    if command -v chromium >/dev/null; then
        chromium --headless --no-sandbox --disable-gpu --disable-background-networking --dump-dom \
            --user-data-dir="$work/chromium" "file://$(realpath "$report")" 2>/dev/null >"$work/dom.html"
        grep -q 'What was tried' "$work/dom.html" || fail "the report does not open in Chromium"
        echo "acceptance: $report opens in Chromium"
    fi
}

for step in $steps; do
    case $step in
    demo)
        echo "== make demo"
        make demo | tee "$work/demo.txt"
        check_loop "$work/demo.txt"
        ;;
    server)
        echo "== a server of this machine, and one command"
        make --quiet install
        .venv/bin/python -m pip install --quiet --constraint constraints.txt 'transformers[serving]'
        model=$(.venv/bin/python -c 'from modgap.models.bundled import FOLDER; print(FOLDER)')
        HF_HUB_OFFLINE=1 .venv/bin/transformers serve "$model" --device cpu --dtype float32 \
            --host 127.0.0.1 --port 8765 >"$work/server.txt" 2>&1 &
        server=$!
        for _ in $(seq 300); do
            curl -sf http://127.0.0.1:8765/health >/dev/null && break
            kill -0 "$server" 2>/dev/null || { cat "$work/server.txt"; fail "the server ended"; }
            sleep 1
        done
        .venv/bin/modgap measure --model "endpoint:$model" --url http://127.0.0.1:8765/v1 --set level=plain \
            -n 2 --seed 1 --name served | tee "$work/served.txt"
        kill "$server" && server=
        grep -q '95 % interval' "$work/served.txt" || fail "no gap from the server"
        ;;
    wheel)
        echo "== the wheel in an environment of its own, outside the checkout, offline"
        make --quiet install
        .venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir "$work/wheel" .
        ls -l "$work/wheel" | awk 'NF > 5 {printf "acceptance: %s, %.1f MB\n", $9, $5 / 1e6}'
        .venv/bin/python -m venv "$work/clean"
        "$work/clean/bin/python" -m pip install --quiet --constraint constraints.txt torch==2.13.0
        "$work/clean/bin/python" -m pip install --quiet --constraint constraints.txt "$(echo "$work"/wheel/*.whl)[hf,train]"
        cd "$work"
        # Proxies that lead nowhere: whatever wanted the network would fail.
        HF_HUB_OFFLINE=1 http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 \
            "$work/clean/bin/modgap" close bundled | tee "$work/wheel.txt"
        check_loop "$work/wheel.txt"
        "$work/clean/bin/python" -c "
import importlib.resources, modgap
assert 'clean' in modgap.__file__, modgap.__file__
assert (importlib.resources.files('modgap') / 'py.typed').is_file(), 'py.typed is missing'"
        cd "$work/modgap"
        ;;
    *) fail "no step '$step'; there are demo, server and wheel" ;;
    esac
done
rm -rf "$work"
echo "acceptance: passed ($steps)"
