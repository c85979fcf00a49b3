/* src/disk/btrfs_format.h - numbers of a btrfs, for those who read one and who write one.
 *
 * The kernel's include/uapi/linux/btrfs_tree.h.  All is in trees of items that are sorted by their
 * keys (object, kind, offset); blocks have logical numbers, which the tree of chunks tells the
 * place of.  All numbers are little-endian.
 */
#ifndef DISK_BTRFS_FORMAT_H
#define DISK_BTRFS_FORMAT_H

#define BTRFS_SUPER         65536 /* where it is; copies are at 64 MiB and 256 GiB */
#define BTRFS_SUPER_LEN     4096
#define BTRFS_SYSTEM_CHUNKS 811 /* those that the superblock holds */
#define BTRFS_LEVELS        8
#define BTRFS_HEAD          101 /* of a node */
#define BTRFS_KEY           17
#define BTRFS_ITEM          (BTRFS_KEY + 4 + 4)
#define BTRFS_POINTER       (BTRFS_KEY + 8 + 8)
#define BTRFS_CHUNK_HEAD    48
#define BTRFS_STRIPE        32
#define BTRFS_DIR_HEAD      30 /* of a name in a directory, of an attribute */
#define BTRFS_EXTENT_HEAD   21
#define BTRFS_EXTENT_LEN    53
#define BTRFS_INODE_LEN     160
#define BTRFS_ROOT_LEN      439

/* kinds of items */
#define BTRFS_INODE          1U
#define BTRFS_INODE_REF      12U
#define BTRFS_INODE_EXTREF   13U
#define BTRFS_XATTR          24U
#define BTRFS_DIR_ITEM       84U
#define BTRFS_DIR_INDEX      96U
#define BTRFS_EXTENT         108U
#define BTRFS_SUMS           128U
#define BTRFS_ROOT           132U
#define BTRFS_ROOT_REF       156U
#define BTRFS_USED_DATA      168U
#define BTRFS_USED_NODE      169U
#define BTRFS_BLOCK_GROUP    192U
#define BTRFS_FREE_INFO      198U
#define BTRFS_FREE_EXTENT    199U
#define BTRFS_DEVICE_EXTENT  204U
#define BTRFS_DEVICE         216U
#define BTRFS_CHUNK          228U
#define BTRFS_UUID_SUBVOLUME 251U

/* objects: trees, and what is in them */
#define BTRFS_ROOTS       1ULL
#define BTRFS_EXTENTS     2ULL
#define BTRFS_CHUNKS      3ULL
#define BTRFS_DEVICES     4ULL
#define BTRFS_FILES       5ULL
#define BTRFS_TREE_DIR    6ULL
#define BTRFS_ALL_SUMS    7ULL
#define BTRFS_UUIDS       9ULL
#define BTRFS_FREE        10ULL
#define BTRFS_RELOCATION  (-9ULL)
#define BTRFS_OBJECT_SUMS (-10ULL)
#define BTRFS_ROOT_DIR    256ULL
#define BTRFS_FIRST_CHUNK 256ULL

/* kinds of chunks */
#define BTRFS_IS_DATA   0x1U
#define BTRFS_IS_SYSTEM 0x2U
#define BTRFS_IS_NODES  0x4U
#define BTRFS_IS_TWICE  0x20U

#endif
