# Accounts, folders and a first configuration, for the maintainer scripts of every package.
systemd-sysusers recordwarden.conf || true
for name in recordwarden-worker recordwarden-courier recordwarden-console; do
    getent passwd "$name" >/dev/null || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin "$name"
done
getent group recordwarden >/dev/null || groupadd --system recordwarden
install -d -m 0700 -o root -g root /var/lib/recordwarden
install -d -m 0750 -o root -g adm /var/log/recordwarden
# Not the package manager's: `setup` writes there too, and an upgrade would stop to ask at each new default.
[ -d /etc/recordwarden ] || install -d -m 0755 /etc/recordwarden
for name in config console; do
    [ -e "/etc/recordwarden/$name.toml" ] || install -m 0644 "/usr/share/recordwarden/$name.toml" /etc/recordwarden
done
