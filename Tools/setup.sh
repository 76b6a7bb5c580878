#!/bin/sh
# Installs the system packages that Velatura is built with and runs on, where they are missing. Only apt is driven; on
# other systems it says what to install. Prints what it does before it does it.
set -u

# Whether the C compiler finds a header. libjpeg's needs stdio before it.
has() {
    printf '#include <stdio.h>\n#include <%s>\n' "$1" | clang -E -x c - >/dev/null 2>&1 ||
        printf '#include <stdio.h>\n#include <%s>\n' "$1" | cc -E -x c - >/dev/null 2>&1
}

if ! command -v "${SWIFT:-swift}" >/dev/null 2>&1; then
    echo "Error: there is no Swift toolchain here. Install Swift 6.1 or later from swift.org, then run this again." >&2
    exit 69
fi

packages=
plain=
want() { # header, Debian's package, plain name
    has "$1" && return
    packages="$packages $2"
    plain="$plain, $3"
}
want png.h libpng-dev libpng
want zlib.h zlib1g-dev zlib
want jpeglib.h libjpeg-dev libjpeg-turbo
want tiffio.h libtiff-dev libtiff
want lcms2.h liblcms2-dev lcms2
want webp/decode.h libwebp-dev libwebp
want yaml.h libyaml-dev libyaml
want oneapi/dnnl/dnnl.h libdnnl-dev oneDNN
[ -z "$packages" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Error: missing ${plain#, }. Install them with their headers (Homebrew: libpng zlib jpeg-turbo libtiff webp little-cms2 libyaml onednn; Fedora: libpng-devel zlib-devel libjpeg-turbo-devel libtiff-devel libwebp-devel lcms2-devel libyaml-devel onednn-devel), then run this again." >&2
    exit 69
fi
root=
if [ "$(id -u)" -ne 0 ]; then
    root=sudo
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Error: missing ${plain#, }, and neither root nor sudo is here. Run as root: apt-get install$packages" >&2
        exit 69
    fi
fi
echo "Installing with apt:$packages"
$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $packages >/dev/null || {
    echo "Error: apt could not install$packages. Install them by hand, then run this again." >&2
    exit 69
}
