#!/usr/bin/env bash
# A chat in a terminal: prints the messages of a conversation, and posts each line that is typed.
# Usage: TANDEM_KEY=tk_… deploy/examples/terminal/chat.sh CONVERSATION
set -uo pipefail
conversation=${1:?"Name a conversation: $0 CONVERSATION"}
tandem=${TANDEM:-.venv/bin/tandem}

"$tandem" tail "$conversation" --last 20 </dev/null &
tail=$!
trap 'kill "$tail" 2>/dev/null' EXIT
trap 'exit 130' INT TERM

while kill -0 "$tail" 2>/dev/null && IFS= read -r line; do
    [ -z "$line" ] || "$tandem" say "$conversation" "$line" >/dev/null
done
