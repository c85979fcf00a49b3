#!/usr/bin/env bats
# strake disk: one disk in the files of several hypervisors, and on a CD; what a file of somebody else's may not do.
load lib
load disk_lib

need_formats() {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat qemu-img
	tree_new "$STATE/tree"
}

@test "A10.9: raw, qcow2, vmdk, vhd, vhdx, vdi hold the same disk, sparse, the same bytes each time; every verb reads each" {
	need_formats
	local format
	mkdir "$STATE/again"
	strake disk build -q "$STATE/tree" -o "$STATE/disk.raw" --timestamp "$DISK_DATE"
	for format in qcow2 vmdk vhd vhdx vdi; do
		strake disk build -q "$STATE/tree" -o "$STATE/disk.$format" --timestamp "$DISK_DATE"
		strake disk convert -q "$STATE/disk.raw" "$STATE/again/disk.$format"
		cmp "$STATE/disk.$format" "$STATE/again/disk.$format"
		qemu-img compare -F raw "$STATE/disk.$format" "$STATE/disk.raw"
		case $format in qcow2 | vdi | vhdx) qemu-img check -q "$STATE/disk.$format" ;; esac
		[ $(($(stat -c "%b * 512" "$STATE/disk.$format"))) -lt $(($(stat -c %s "$STATE/disk.raw") / 2)) ]
		[ "$(strake disk inspect "$STATE/disk.$format" | jq -r .format)" = "$format" ]
		strake disk check "$STATE/disk.$format"
		[ "$(strake disk cat "$STATE/disk.$format" /deep/link)" = text ]
		strake disk convert -q "$STATE/disk.$format" "$STATE/back"
		cmp "$STATE/disk.raw" "$STATE/back"
	done
	grep -aq 'SPARSE "disk.vmdk"' "$STATE/disk.vmdk"
	run strake disk build "$STATE/tree" -o "$STATE/x" --format qed
	assert_status 1
	assert_has "--format wants raw, qcow2"
}

@test "an ISO is the disk itself with a file system for optical drives, which a foreign reader reads" {
	need_formats
	need_command xorriso
	[ -e /usr/lib/ISOLINUX/isolinux.bin ] || skip "isolinux is not installed"
	strake disk build -q "$STATE/tree" -o "$STATE/disk.img" --timestamp "$DISK_DATE"
	strake disk convert -q "$STATE/disk.img" "$STATE/disk.iso"
	strake disk convert -q "$STATE/disk.img" "$STATE/twice" --format iso
	cmp "$STATE/disk.iso" "$STATE/twice"
	sfdisk -V "$STATE/disk.iso"
	diff <(strake disk inspect "$STATE/disk.img" | jq .partitions) <(strake disk inspect "$STATE/disk.iso" | jq .partitions)
	cmp -n $((100 << 20)) -i 1M "$STATE/disk.img" "$STATE/disk.iso" # the partitions
	strake disk check "$STATE/disk.iso"
	run xorriso -indev "$STATE/disk.iso" -report_el_torito plain -osirrox on -extract / "$STATE/read"
	assert_has "BIOS"
	assert_has "UEFI"
	cmp "$STATE/read/VMLINUZ" "$STATE/tree/boot/vmlinuz-6.1.0-10"
	cmp "$STATE/read/INITRD.IMG" "$STATE/tree/boot/initrd.img-6.1.0-10"
	grep -q 'APPEND root=UUID' "$STATE/read/ISOLINUX.CFG"
	run strake disk build "$STATE/tree" -o "$STATE/x.iso" --size 1g
	assert_status 1
	assert_has "--size has no meaning"
	head -c 8M /dev/zero >"$STATE/zeros"
	run strake disk convert "$STATE/zeros" "$STATE/x.iso"
	assert_status 1
	[ ! -e "$STATE/x.iso" ]
}

@test "a file that leads to other files is refused: backing file, external data, extents elsewhere" {
	need_formats
	echo secret >"$STATE/secret" && truncate -s 1M "$STATE/secret"
	qemu-img create -q -f qcow2 -b "$STATE/secret" -F raw "$STATE/backed"
	qemu-img create -q -f qcow2 -o data_file="$STATE/data",data_file_raw=on "$STATE/outside" 1M
	qemu-img create -q -f vmdk -o subformat=monolithicFlat "$STATE/flat.vmdk" 1M
	# The same as text behind a header of the one-file kind.
	{ printf 'KDMV\001'; head -c 507 /dev/zero; cat "$STATE/flat.vmdk"; } >"$STATE/hidden"
	qemu-img convert -O vmdk "$STATE/secret" "$STATE/below.vmdk"
	qemu-img create -q -f vmdk -b "$STATE/below.vmdk" -F vmdk "$STATE/child.vmdk"
	for file in backed outside flat.vmdk hidden child.vmdk; do
		run strake disk ls "$STATE/$file"
		assert_status 1
		assert_has "not opened for it"
		assert_has "qemu-img convert"
	done
}

@test "a dry run's script packs by stock tools, and its disk is equal" {
	need_formats
	need_command sfdisk
	local kind
	touch "$STATE/tree/etc/late"
	for kind in qcow2 vhdx; do
		strake disk build -q "$STATE/tree" -o "$STATE/ours.$kind" --timestamp "$DISK_DATE"
		strake --dry-run disk build "$STATE/tree" -o "$STATE/disk.$kind" --timestamp "$DISK_DATE" >"$STATE/script"
		[ ! -e "$STATE/disk.$kind" ]
		sh "$STATE/script"
		[ "$(qemu-img info --output=json "$STATE/disk.$kind" | jq -r .format)" = "$kind" ]
		strake disk check "$STATE/disk.$kind"
		diff <(strake disk inspect "$STATE/disk.$kind" | jq .partitions) <(strake disk inspect "$STATE/ours.$kind" | jq .partitions)
		rm "$STATE/disk.$kind" "$STATE/ours.$kind"
	done
	need_command xorriso
	strake --dry-run disk build "$STATE/tree" -o "$STATE/disk.iso" --timestamp "$DISK_DATE" >"$STATE/script"
	sh "$STATE/script"
	strake disk build -q "$STATE/tree" -o "$STATE/ours.img" --timestamp "$DISK_DATE"
	strake disk inspect "$STATE/ours.img" | jq -r '.partitions[].partuuid' >"$STATE/uuids"
	strake disk inspect "$STATE/disk.iso" | jq -r '.partitions[].partuuid' | grep -qiFf "$STATE/uuids"
	strake disk check "$STATE/disk.iso"
	run strake --dry-run disk convert "$STATE/ours.img" "$STATE/by-script.qcow2"
	assert_status 0
	echo "$output" | sh
	qemu-img compare -f raw -F qcow2 "$STATE/ours.img" "$STATE/by-script.qcow2"
}

@test "A10.3: an MBR instead of a GPT: an active partition for BIOS, one of type ef for UEFI, the root's number; the script makes the same" {
	need_formats
	need_command sfdisk
	local words=(disk build "$STATE/tree" --table mbr --swap 8m --timestamp "$DISK_DATE")
	strake "${words[@]}" -q -o "$STATE/ours"
	run sfdisk -d "$STATE/ours"
	assert_has "label: dos"
	[[ ${lines[5]} == *"type=ef, bootable" && ${lines[6]} == *"type=82" && ${lines[7]} == *"type=83" && ${#lines[@]} = 8 ]]
	strake disk check "$STATE/ours"
	[ "$(strake disk inspect "$STATE/ours" | jq -r .table)" = mbr ]
	[ "$(strake disk cat "$STATE/ours" /deep/link)" = text ]
	cmp -n 440 "$STATE/ours" /usr/lib/SYSLINUX/mbr.bin
	strake --dry-run "${words[@]}" -o "$STATE/disk" >"$STATE/script"
	sh "$STATE/script"
	diff <(sfdisk -d "$STATE/disk" | tail -n +5 | cut -d: -f2) <(sfdisk -d "$STATE/ours" | tail -n +5 | cut -d: -f2)
	run strake disk build "$STATE/tree" --table mbr -o "$STATE/disk.iso"
	assert_status 1
	assert_has "both tables"
	run strake disk build "$STATE/tree" --table bsd -o "$STATE/none"
	assert_status 1
	assert_has "gpt or mbr"
	[ ! -e "$STATE/none" ]
}
