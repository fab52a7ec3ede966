#!/bin/bash
#
# demo/screen.sh, to be sourced
#
# How the demo looks: headlines, what is typed, and the line that counts.  Colours
# and a line that updates itself on a terminal, plain lines elsewhere.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' blue=$'\e[34m' dim=$'\e[2m' plain=$'\e[0m'
else
	bold='' blue='' dim='' plain=''
fi
# shellcheck disable=SC2034	# for the script that sources this
if [ -t 1 ]; then progress_pause=0.5; else progress_pause=1; fi

progress_started=0
last_ms=0
last_received=0
last_sent=0

headline() {
	printf '\n%s%s%s\n\n' "$bold" "$*" "$plain"
}

note() {
	printf '%s\n' "$*"
}

prompt() {
	printf '%sdicomgw=#%s %s%s%s\n' "$dim" "$plain" "$blue" "$1" "$plain"
}

prompt_shell() {
	printf '%s$%s %s%s%s\n' "$dim" "$plain" "$blue" "$1" "$plain"
}

# progress_line RECEIVED ROUTED QUEUED SENT FAILED: totals, and rates since the last one
progress_line() {
	local now=${EPOCHREALTIME/[.,]/} ms line

	now=$((now / 1000))
	ms=$((last_ms > 0 ? now - last_ms : 1000))
	[ "$ms" -gt 0 ] || ms=1
	line=$(printf 'received %6d (%5d/s)   routed %6d   queued %6d   sent %6d (%5d/s)   failed %d' \
		"$1" $((($1 - last_received) * 1000 / ms)) "$2" "$3" \
		"$4" $((($4 - last_sent) * 1000 / ms)) "$5")
	last_ms=$now
	last_received=$1
	last_sent=$4
	if [ -t 1 ]; then
		printf '\r%s\e[K' "$line"
		progress_started=1
	else
		printf '%s\n' "$line"
	fi
}

end_progress_line() {
	if [ "$progress_started" -eq 1 ]; then printf '\n'; fi
	progress_started=0
}
