#!/bin/bash
#
# tools/scratch_gateway.sh, to be sourced after tools/scratch.sh
#
# What the demo and the UI's stack are made of: a private server in the scratch
# folder, PACS, and PostgREST and nginx before it; and waiting for them.

# shellcheck disable=SC2154	# $scratch and $bindir are of tools/scratch.sh

scratch_psql() {
	"$bindir/psql" -X -q -v ON_ERROR_STOP=1 -h "$scratch/socket" -U postgres -d dicomgw "$@"
}

# wait_for WHAT COMMAND...: until it succeeds, for a minute at most
wait_for() {
	local what=$1 tries

	shift
	for tries in {1..600}; do
		if "$@" >/dev/null 2>&1; then return; fi
		sleep 0.1
	done
	die "gave up after $((tries / 10)) s: $what; see the logs in $scratch"
}

# A TCP port that nobody has, below those that outgoing connections take.
free_port() {
	perl -MIO::Socket::INET -e '
		for (1 .. 1000) {
			my $port = 12000 + int rand 20000;
			next unless IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => $port, Listen => 1);
			print $port;
			exit;
		}
		exit 1'
}

start_server() {
	scratch_as mkdir "$scratch/socket"
	scratch_as "$bindir/initdb" -D "$scratch/data" -U postgres -A trust -E UTF8 --locale=C \
		--no-sync >"$scratch/initdb.log" 2>&1 || die "initdb failed; see $scratch/initdb.log"
	scratch_config "$scratch/dicomgw.conf"
	printf "include '%s'\nunix_socket_directories = '%s'\n" "$scratch/dicomgw.conf" "$scratch/socket" |
		scratch_as tee -a "$scratch/data/postgresql.conf" >/dev/null
	(cd -- "$scratch" && scratch_as "$bindir/pg_ctl" -D data -l "$scratch/server.log" -w start) \
		>/dev/null || die "the server did not start; see $scratch/server.log"
	"$bindir/createdb" -h "$scratch/socket" -U postgres dicomgw
}

# start_pacs NAME PORT OPTION...: storescp, with these options besides
start_pacs() {
	local name=$1 port=$2

	shift 2
	scratch_as mkdir "$scratch/$name"
	(cd -- "$scratch" && TCP_NODELAY=1 scratch_as storescp --fork -aet "${name^^}" -od "$scratch/$name" "$@" \
		"$port" >"$scratch/$name.log" 2>&1) &
}

# start_web HTTPS_PORT PAGES: sets $url; PAGES: folder of the built pages
start_web() {
	(cd -- "$scratch" && PGHOST=$scratch/socket DGW_UI=$2 scratch_as tree/tools/web "$scratch/web" \
		"$1" "$(free_port)" >"$scratch/web.log" 2>&1) &
	wait_for "PostgREST and nginx to start" test -f "$scratch/web/ready"
	# shellcheck disable=SC2034	# the caller's
	url=$(cat "$scratch/web/ready")
}
