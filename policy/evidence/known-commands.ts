/** Lists of commands, paths and verbs by which `script-effects.ts` tells harmless statements from others. */

/** Keys of package archives, whose names are often those of services. */
const archiveKeys = /^\/(?:usr\/share\/keyrings|etc\/apt\/(?:keyrings|trusted\.gpg\.d))\/[\w.-]+$/;
const services =
  /nginx|mysql|mariadb|haproxy|\.cnf$|apache2|httpd|caddy|traefik|envoy|postgres|redis|valkey|mongo|memcache|rabbitmq|stunnel|varnish|lighttpd|^\/etc\/(?:systemd|cron|init\.d|rc\.|profile|ld\.so|default\/|bash|environment|sudoers|ssh\/)|^\/(?:usr\/)?(?:local\/)?s?bin\/|^\/(?:usr\/)?lib\/systemd|^\/var\/spool\/cron|^\/root\/\.(?:bash|profile)|^\/proc\/|^\/sys\//;

/** True for paths with the configuration of services, or with code that the host runs by itself. */
export const isServicePath = (path: string): boolean => services.test(path) && !archiveKeys.test(path);

/** Folders in which nothing belongs to a service. */
export const harmlessFolder =
  /^\/(?:tmp|var\/(?:log|tmp|www|cache|backups)|srv|home\/[^/]+|root|opt|mnt|media|run\/[^/]+)\/(?!\.(?:bash|profile|ssh))/;

/** True for paths in them, with or without an unknown end. */
export const isOwnFolder = (path: string): boolean => harmlessFolder.test(path) && !path.includes("/..");

const words = (text: string) => new Set(text.split(/\s+/).filter((word) => word !== ""));

/** Commands that read, print, wait, or change nothing that belongs to a web server or a database. */
export const harmless = words(`
  : . [ [[ true false test echo printf cat tac ls stat file du df free ps pgrep pidof uptime nproc arch uname lsb_release
  id whoami groups who w getent date cal sleep wait jobs seq yes hostname hostnamectl timedatectl localectl locale-gen
  update-locale dpkg-reconfigure debconf-set-selections set shopt exit return break continue shift umask ulimit export
  readonly declare typeset local unset read cd pushd popd dirs pwd mkdir touch chmod chown chgrp setfacl grep egrep fgrep zgrep
  cut tr sort uniq head tail wc fold column paste comm join basename dirname realpath readlink mktemp which type hash man
  sha256sum sha1sum md5sum cksum diff cmp base64 xxd od gzip gunzip xz zcat jq openssl ssh-keygen gpg apt-key
  add-apt-repository apt-add-repository apt-mark apt-cache dpkg-query logger wall useradd groupadd usermod groupmod adduser
  addgroup userdel groupdel deluser gpasswd passwd chpasswd chage ufw firewall-cmd iptables ip6tables nft ip ifconfig ping
  dig host nslookup nc ss netstat sysctl modprobe swapon swapoff mkswap fallocate mount umount blkid lsblk parted sgdisk
  growpart resize2fs tune2fs findmnt sync kill pkill killall reboot shutdown poweroff fail2ban-client journalctl dmesg
  tput clear trap time times command getopts function for select case git curl wget tee certtool update-ca-certificates
  update-alternatives needrestart cloud-init tailscale doctl datadog-agent nginx-agent fi done esac then do else in ! { }
  (( )) ]] ] ;; a2enmod a2dismod a2dissite a2disconf ldconfig chsh loginctl localedef mandb updatedb virtualenv npm pnpm yarn pip pip3 composer
  bundle gem nvm pm2 corepack truncate`);

/** Verbs of commands that are understood only with these. */
export const verbs: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...["apt-get", "apt", "aptitude", "dnf", "yum", "microdnf", "zypper", "apk", "snap"].map(
    (name) =>
      [
        name,
        words(
          "update upgrade dist-upgrade full-upgrade install add in localinstall remove purge autoremove autopurge erase del rm clean autoclean list show search policy info refresh makecache check-update",
        ),
      ] as const,
  ),
  ...["systemctl", "service", "invoke-rc.d", "rc-service"].map(
    (name) =>
      [
        name,
        words(
          "start stop restart reload reload-or-restart try-restart enable disable mask unmask status is-active is-enabled is-failed show daemon-reload daemon-reexec list-units reset-failed force-reload",
        ),
      ] as const,
  ),
  ["certbot", words("certonly renew certificates register delete")],
  ...["apachectl", "apache2ctl"].map(
    (name) =>
      [name, words("configtest status fullstatus start stop restart graceful graceful-stop")] as const,
  ),
  ["caddy", words("validate fmt version trust untrust list-modules")],
  ["update-rc.d", words("defaults enable disable remove")],
]);

export const installVerbs = words("install add in localinstall");
export const nestedRunners = words("bash sh dash ash ksh zsh su runuser eval source");
export const readableConfiguration =
  /^\/etc\/(?:os-release|lsb-release|profile|default\/locale)$|\/bin\/activate$|\/nvm\.sh$|\/\.cargo\/env$/;
