/** Shell that puts MySQL's data on a disk that can fill or fail, and back. */

export const DATA = "/var/lib/mysql";
const KEPT = `${DATA}-kept`;
const IMAGE = "/var/lib/secured-web-chaos.img";
/** MiB that the data may grow by. */
const ROOM_MIB = 256;

const STOP = "systemctl stop secured-web-group.service; systemctl stop mysql.service";
const START = "systemctl start mysql.service secured-web-group.service";

function moved(mount: string): string {
  return `set -e
${STOP}
mv ${DATA} ${KEPT}
install -d -o mysql -g mysql -m 0700 ${DATA}
size=$(( $(du -sm ${KEPT} | cut -f 1) + ${ROOM_MIB} ))
${mount}
cp -a ${KEPT}/. ${DATA}/
sync --file-system ${DATA}
${START}`;
}

export const SMALL_DISK = moved(
  `mount -t tmpfs -o size=\${size}m,mode=0700,uid=$(id -u mysql),gid=$(id -g mysql) tmpfs ${DATA}`,
);

/** The kernel frees the loop device with the last mount of it (mount(8), loop). */
const MOUNT_IMAGE = `[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
for n in $(seq 0 63); do [ -e /dev/loop$n ] || mknod /dev/loop$n b 7 $n; done
mount -o loop,errors=remount-ro ${IMAGE} ${DATA}`;

export const FAILING_DISK = moved(`truncate -s \${size}M ${IMAGE}
mkfs.ext4 -q ${IMAGE}
${MOUNT_IMAGE}
rmdir ${DATA}/lost+found
chown mysql:mysql ${DATA} && chmod 0700 ${DATA}`);

/** A disk that has failed is mounted again first: its journal has what the last writes were. */
export const BACK_ON_DISK = `set -e
if mountpoint -q ${DATA}; then
  rm -f ${DATA}/filler || true
  ${STOP}
  if [ -e ${IMAGE} ]; then
    umount ${DATA}
    e2fsck -fy ${IMAGE} || [ $? -le 2 ]
    ${MOUNT_IMAGE}
  fi
  rm -rf ${KEPT} ${DATA}/lost+found
  cp -a ${DATA} ${KEPT}
  umount ${DATA}
fi
if [ -e ${KEPT} ]; then
  [ -e ${DATA}/mysql ] || { rmdir ${DATA} && mv ${KEPT} ${DATA}; }
fi
rm -rf ${KEPT} ${IMAGE}
${START}`;
