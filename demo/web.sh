#!/bin/bash
#
# demo/web.sh, to be sourced
#
# The demo's part that goes by HTTPS: PostgREST and nginx as they are shipped (tools/web),
# the pages if there are any in the tree, and somebody who signs in and looks at what came in.

# shellcheck disable=SC2154	# $scratch is of tools/scratch.sh, which demo/run sources before

# start_web_with_pages: sets $url
start_web_with_pages() {
	scratch_postgrest
	if [ -f "$scratch/tree/ui/package.json" ]; then
		note "building the pages"
		(cd -- "$scratch/tree" && scratch_as make ui) >"$scratch/ui.log" 2>&1 ||
			die "the pages could not be built; see $scratch/ui.log"
	fi
	start_web "$(free_port)" "$scratch/tree/ui/dist"
}

# What a program would do, and what it is answered; its cookie is kept from one request to the next.
request() {
	local path=$1

	shift
	(cd -- "$scratch" && scratch_as curl --silent --show-error --noproxy '*' --cacert web/server.pem \
		--cookie jar --cookie-jar jar "$@" "$url$path")
}

# call FUNCTION ARGUMENTS: must be answered with success
call() {
	local answer

	prompt_shell "curl $url/api/rpc/$1 -d '$2'"
	answer=$(request "/api/rpc/$1" --fail-with-body --header 'Content-Type: application/json' --data "$2") ||
		die "$1 was refused: $answer"
}

# refused STATUS PATH
refused() {
	local status

	prompt_shell "curl $url$2"
	status=$(request "$2" --output answer --write-out '%{http_code}')
	[ "$status" = "$1" ] || die "the answer was $status, not $1; it is in $scratch/answer"
	note "$status $(cat "$scratch/answer")"
}

# The administrator's one-time password is left to whoever watches: somebody else signs in.
look_by_https() {
	local once listed studies

	prompt "SELECT dicomgw.create_user('anna', 'viewer');"
	once=$(sql "SELECT dicomgw.create_user('anna', 'viewer')")
	note "a one-time password: $once"
	refused 401 /api/study
	call login "{\"username\": \"anna\", \"password\": \"$once\"}"
	refused 403 /api/study
	call change_password "{\"old\": \"$once\", \"new\": \"four plain words, joined\"}"

	prompt_shell "curl '$url/api/totals'"
	request /api/totals
	note ""
	prompt_shell "curl '$url/api/study?select=id,study_date,modalities,delivery&order=id&limit=2'"
	request '/api/study?select=id,study_date,modalities,delivery&order=id&limit=2'
	note ""

	listed=$(request '/api/study?select=study_instance_uid&order=id' --header 'Accept: text/csv' | tail -n +2)
	studies=$(sql 'SELECT study_instance_uid FROM dicomgw.study ORDER BY id LIMIT 1000')
	if [ -z "$studies" ] || [ "$listed" != "$studies" ]; then
		die "the studies by HTTPS are not those of the database"
	fi
	note "all $(wc -l <<<"$studies") studies of the database are there by HTTPS"
	[ ! -f "$scratch/tree/ui/package.json" ] || request / --fail --output index.html || die "the pages are not there"
}
