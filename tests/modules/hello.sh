#!/bin/sh
# hello: a module in another language, as an example and for the tests.
#
# It owns two keys of the configuration and makes the file hold the text:
#
#     hello_file: /etc/motd
#     hello_text: Welcome
#
# Its one argument says what is wanted of it. The settings come as one line of JSON on standard
# input, results go as lines of JSON to descriptor 3, and what it prints is its log. See
# bootlace-module(7).
set -eu

describe() {
    cat <<'END'
{
  "interface": 1,
  "name": "hello",
  "version": "1.0",
  "summary": "writes a greeting to a file",
  "keys": ["hello_file", "hello_text"],
  "metadata": ["hostname"],
  "frequency": "per-instance",
  "order": 300,
  "repeatable": true,
  "bakeable": true,
  "prepare": true
}
END
}

# The text of a setting or metadata item. Enough where no text has quotes; jq(1) would read any.
text_of() {
    printf '%s\n' "$input" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

result() { # STATUS MESSAGE
    printf '{"status":"%s","message":"%s"}\n' "$1" "$2" >&3
}

prepare() {
    echo "prepares the greeting of $(text_of hostname)"
    result unchanged "nothing to fetch"
}

run() {
    file=$(text_of hello_file)
    greeting="$(text_of hello_text), this is $(text_of hostname)"
    echo "writes $file"
    printf '{"progress":0.5,"message":"writes"}\n' >&3
    if [ -e "$file" ] && [ "$(cat "$file")" = "$greeting" ]; then
        printf '{"item":"%s","status":"unchanged"}\n' "$file" >&3
        result unchanged "the greeting is there"
        return
    fi
    case $input in
    *'"dry_run":true'*) echo "would write $file" ;;
    *) printf '%s\n' "$greeting" >"$file" ;;
    esac
    printf '{"item":"%s","status":"changed"}\n' "$file" >&3
    result changed "greets"
}

case ${1-} in
describe) describe ;;
prepare | run)
    input=$(cat)
    "$1"
    ;;
*)
    echo "usage: $0 describe|prepare|run" >&2
    exit 2
    ;;
esac
