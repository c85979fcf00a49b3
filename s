#!/bin/sh
set -eu
# another process in the same control groups
groups="/sys/fs/cgroup/systemd/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/pids/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/blkio/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/freezer/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/devices/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/memory/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/cpuset/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/cpuacct/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/cpu/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699 /sys/fs/cgroup/unified/strake/73759cab1fb349fac46b235175444bcf7257a48d425fb1aa7f00b9626084f699"
for d in $groups; do echo 0 > $d/cgroup.procs || exit; done
# its capabilities and seccomp filter: no stock tool sets them from here
# its namespaces, the user, the program
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOSTNAME=73759cab1fb3 A=b HOME=/ 'X=y z' nsenter --target 23 --mount --uts --ipc --net --pid --cgroup --root --wd=/dev --setgid=6 --setuid=5 -- /busybox sh -c 'id; pwd; env; cat /proc/self/cgroup | head -2'
