#!/bin/bash
#
# bench/lib.sh, to be sourced at the top of the tree
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
#	figure NAME UNIT	the numbers read, for the result of bench/run, if that is what calls
#
# The disk is an ext4 image with a journal, loop-mounted in a mount namespace of
# its own, so that it is gone with the last process whatever happens: file
# creation on a file system without a journal is another matter.  With
# BENCH_DIR=folder it is that folder instead; who may not mount gets the scratch
# folder, and a warning ($disk_warning).  It goes with the script, and so does
# everything that was started.

if [ "$(id -u)" -eq 0 ] && [ -z "${DGW_PRIVATE_MOUNTS:-}" ] && unshare --mount true 2>/dev/null; then
	DGW_PRIVATE_MOUNTS=1 exec unshare --mount -- "bench/${0##*/}" "$@"
fi

# shellcheck source=tools/scratch.sh
. tools/scratch.sh

dicom_port=
disk=
disk_warning=

finish() {
	local status=$?

	trap - EXIT
	[ -z "$scratch" ] || scratch_kill
	[ -z "$disk" ] || umount -l -- "$disk" 2>/dev/null || true
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
	elif [ -z "${DGW_PRIVATE_MOUNTS:-}" ] || ! mount_image; then
		disk_warning="no disk image could be mounted (that needs root): measured in $scratch, on $(stat -f -c %T "$scratch")"
		printf 'dicomgw: %s\n' "$disk_warning" >&2
		mkdir -p -- "$disk"
	fi
	chown "$scratch_owner" "$disk"
}

# direct: the image's pages are not cached a second time, as a disk's are not.  The device is given
# up at once, which takes effect when it is unmounted.
mount_image() {
	local device

	mkdir -- "$disk"
	fallocate -l "${DISK_GB:-16}G" -- "$scratch/disk.img" || die "$scratch has no room for ${DISK_GB:-16} GB; set TMPDIR"
	device=$(losetup --find --show --direct-io=on -- "$scratch/disk.img") || return
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$device" && mount -o noatime "$device" "$disk"
	losetup -d "$device"
	mountpoint -q "$disk"
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

figure() {
	[ -z "${FIGURES:-}" ] || awk -v name="$1" -v unit="$2" '{ print name "\t" unit "\t" $1 }' >>"$FIGURES"
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { printf "%.0f (%.0f–%.0f)", v[int((NR + 1) / 2)], v[1], v[NR] }'
}
