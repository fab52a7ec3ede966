#!/bin/bash
#
# bench/lib.sh, to be sourced
#
# What the benchmarks have in common: a server on a disk of its own that is
# like those of production, real objects, and how figures are printed.
#
#	bench_prepare NAME	build, make the disk and the objects: $disk, $scratch/small.dcm
#						(about 9 KB) and $scratch/ct.dcm (512 KB)
#	start_server		with the extension, listening on $dicom_port
#	banner				what it runs on
#	sql, wait_for		ask the server; until it says something
#	median				of the numbers read: "median (lowest–highest)"
#
# The disk is an ext4 image with a journal, loop-mounted (needs root): file
# creation on a file system without a journal is another matter.  With
# BENCH_DIR=folder it is that folder instead.  It goes with the script, and so
# does everything that was started.

# shellcheck source=tools/scratch.sh
. tools/scratch.sh

dicom_port=
disk=
loop_device=

finish() {
	local status=$?

	trap - EXIT
	[ -z "$scratch" ] || scratch_kill
	[ -z "$loop_device" ] || { umount -l -- "$disk" && losetup -d "$loop_device"; } 2>/dev/null || true
	[ -z "$disk" ] || [ -z "${BENCH_DIR:-}" ] || rm -rf -- "$disk"
	[ -z "$scratch" ] || scratch_remove
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

bench_prepare() {
	tools/deps build run
	scratch_create "$1"
	# shellcheck disable=SC2119	# its arguments are for make, not ours
	scratch_build
	make_disk
	make_objects
}

sql() {
	"$bindir/psql" -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -h "$scratch" -U postgres -d dicomgw -c "$1"
}

free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

make_disk() {
	disk=$scratch/disk
	if [ -n "${BENCH_DIR:-}" ]; then
		disk=$(mktemp -d -- "$BENCH_DIR/dicomgw-bench.XXXXXX")
	else
		[ "$(id -u)" -eq 0 ] || die "mounting an image needs root; or set BENCH_DIR to a folder on a journaled file system"
		mkdir -- "$disk"
		fallocate -l 16G -- "$scratch/disk.img"
		# direct: the image's pages are not cached a second time, as a disk's are not
		loop_device=$(losetup --find --show --direct-io=on -- "$scratch/disk.img")
		mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$loop_device"
		mount -o noatime "$loop_device" "$disk"
	fi
	chown "$scratch_owner" "$disk"
}

# An object of each size, from a real one.
make_objects() {
	(cd -- "$scratch" && scratch_as /usr/bin/python3 - "$scratch" <<-'END'
		import os, sys
		import pydicom
		from pydicom.data import get_testdata_file

		out = sys.argv[1]
		pydicom.dcmread(get_testdata_file("MR_small.dcm")).save_as(out + "/small.dcm")
		ct = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
		ct.Rows = ct.Columns = 512
		ct.PixelData = os.urandom(512 * 512 * 2)
		ct.save_as(out + "/ct.dcm")
	END
	)
}

# start_server [SETTINGS]: with the extension, listening
start_server() {
	dicom_port=$(free_port)
	scratch_as "$bindir/initdb" -D "$disk/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
	scratch_config "$scratch/dicomgw.conf"
	scratch_as tee -a -- "$disk/data/postgresql.conf" >/dev/null <<-END
		include '$scratch/dicomgw.conf'
		unix_socket_directories = '$scratch'
		shared_buffers = 256MB
		max_wal_size = 8GB
		dicomgw.storage_path = '$disk/storage'
		${1:-}
	END
	(cd -- "$scratch" && scratch_as "$bindir/pg_ctl" -D "$disk/data" -l "$scratch/log" -w start >/dev/null)
	scratch_as "$bindir/createdb" -h "$scratch" -U postgres dicomgw
	sql "CREATE EXTENSION dicomgw"
	sql "UPDATE dicomgw.listener SET bind_address = '127.0.0.1', port = $dicom_port"
	wait_for "listening on 1 of 1" "SELECT last_action FROM dicomgw.status WHERE worker = 'receiver'"
}

# wait_for TEXT QUERY: until the answer contains the text
wait_for() {
	local tries

	for tries in {1..600}; do
		case $(sql "$2") in *"$1"*) return 0 ;; esac
		sleep 0.1
	done
	die "waited in vain for '$1' ($tries looks)"
}

banner() {
	printf 'dicomgw on %s cores (%s), %s memory, PostgreSQL %s, %s\n\n' "$(nproc)" \
		"$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" \
		"$(free -h | awk '/^Mem/ { print $2 }')" "$("$bindir/postgres" --version | awk '{ print $3 }')" \
		"$(stat -f -c %T "$disk")"
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { printf "%.0f (%.0f–%.0f)", v[int((NR + 1) / 2)], v[1], v[NR] }'
}
