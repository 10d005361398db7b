#!/usr/bin/env bash
# build_image.sh FOLDER: a Debian 12 machine for tests/system, as root, with mmdebstrap, arch-test and e2fsprogs.
# Leaves root.ext4, vmlinuz and initrd.img there; then `RECORDWARDEN_VM=FOLDER make system`.
set -euo pipefail
folder=${1:?usage: build_image.sh FOLDER}
mkdir -p "$folder"
tree=$(mktemp -d "$folder/tree.XXXXXX")
trap 'rm -rf "$tree"' EXIT
packages=systemd-sysv,udev,kmod,linux-image-amd64,initramfs-tools,zstd,python3,dmsetup,cryptsetup-bin,dosfstools,e2fsprogs
login='[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear ttyS0 dumb\n'
mmdebstrap --variant=minbase --mode=root --quiet --include="$packages" \
  --aptopt='APT::Install-Recommends "false"' \
  --customize-hook='chroot "$1" passwd -d root' \
  --customize-hook='mkdir -p "$1/etc/systemd/system/serial-getty@ttyS0.service.d"' \
  --customize-hook="printf '$login' > \"\$1/etc/systemd/system/serial-getty@ttyS0.service.d/login.conf\"" \
  --customize-hook='echo "/dev/vda / ext4 defaults 0 1" > "$1/etc/fstab"' \
  bookworm "$tree"
cp "$tree"/boot/vmlinuz-* "$folder/vmlinuz"
cp "$tree"/boot/initrd.img-* "$folder/initrd.img"
rm -f "$folder/root.ext4"
truncate -s 3G "$folder/root.ext4"
mke2fs -q -F -t ext4 -d "$tree" "$folder/root.ext4"
