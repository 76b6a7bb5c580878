#!/bin/sh
# Builds the libraries that pictures are read with, from Debian's sources, with the address sanitizer and coverage: into
# .build/fuzz/lib, where the fuzzer finds them before the system's. Assembly is left out, since the sanitizer cannot look into it.
# A library that stands there already is left alone.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/.build/fuzz
made=$work/lib
sources=$work/sources
CLANG=${CLANG:-$(dirname "$(command -v "${SWIFTC:-swiftc}")")/clang}
flags="-O1 -g -fno-omit-frame-pointer -fsanitize=address,fuzzer-no-link"

for tool in cmake make dpkg-source; do
    command -v $tool >/dev/null || { echo "Error: $tool is missing. Install cmake, make and dpkg-dev." >&2; exit 69; }
done
mkdir -p "$made" "$sources/lists" "$sources/cache"

# Sources come from where the packages came, by an index of their own: what is installed here is left alone.
apt() {
    apt-get -o Dir::Etc::sourcelist="$sources/own.sources" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$sources/lists" -o Dir::Cache="$sources/cache" -o APT::Sandbox::User=root "$@"
}
sed -E 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$sources/own.sources"
[ -e "$sources/indexed" ] || { apt update -qq && touch "$sources/indexed"; }

# The source of a package, unpacked, with Debian's patches where they are to be had: fetch SOURCE
fetch() {
    cd "$sources"
    if [ ! -d "$1" ]; then
        rm -rf "$1".part
        apt source -qq --download-only "$1" >/dev/null 2>&1 || true
        if description=$(ls "$1"_*.dsc 2>/dev/null | tail -1) && [ -n "$description" ]; then
            dpkg-source --no-check -x "$description" "$1".part >/dev/null 2>&1
        else
            echo "$1: without Debian's patches, which are not to be had"
            mkdir "$1".part && tar xf "$1"_*.orig.tar.?z* -C "$1".part --strip-components=1
        fi
        mv "$1".part "$1"
    fi
    echo "$1: $(ls "$1"_*.orig.tar.?z* | head -1)"
}

# Whether a library is still to be made: wanted NAME
wanted() { [ ! -e "$made/$1" ]; }

# with_cmake SOURCE OPTIONS…
with_cmake() {
    source=$1
    shift
    cmake -S "$sources/$source" -B "$work/$source" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_COMPILER="$CLANG" \
        -DCMAKE_C_FLAGS="$flags" -DBUILD_SHARED_LIBS=ON -DCMAKE_LIBRARY_PATH="$made" -DCMAKE_POLICY_VERSION_MINIMUM=3.5 "$@" \
        >"$work/$source.log" 2>&1
    cmake --build "$work/$source" -j2 >>"$work/$source.log" 2>&1
}

keep() { cp -L "$1" "$made/$2"; }

if wanted libz.so.1; then
    fetch zlib
    # Its configure asks only for a compiler; nothing of it needs the rest of the build.
    (cd "$sources/zlib" && "$CLANG" $flags -fPIC -shared -DHAVE_HIDDEN -D_LARGEFILE64_SOURCE=1 -Wl,-soname,libz.so.1 \
        -include unistd.h ./*.c -o "$made/libz.so.1")
    ln -sf libz.so.1 "$made/libz.so"
fi
if wanted libpng16.so.16; then
    fetch libpng1.6
    with_cmake libpng1.6 -DPNG_TESTS=OFF -DPNG_STATIC=OFF -DPNG_EXECUTABLES=OFF -DPNG_HARDWARE_OPTIMIZATIONS=OFF \
        -DZLIB_LIBRARY="$made/libz.so"
    keep "$work/libpng1.6/libpng16.so.16" libpng16.so.16
fi
if wanted libjpeg.so.62; then
    fetch libjpeg-turbo
    with_cmake libjpeg-turbo -DWITH_SIMD=OFF -DWITH_TURBOJPEG=OFF -DENABLE_STATIC=OFF
    keep "$work/libjpeg-turbo/libjpeg.so.62" libjpeg.so.62
    ln -sf libjpeg.so.62 "$made/libjpeg.so"
fi
if wanted liblcms2.so.2; then
    fetch lcms2
    (cd "$sources/lcms2" && "$CLANG" $flags -fPIC -shared -Iinclude -Wl,-soname,liblcms2.so.2 src/*.c -lm -lpthread \
        -o "$made/liblcms2.so.2")
fi
if wanted libwebp.so.7; then
    fetch libwebp
    (cd "$sources/libwebp" && "$CLANG" $flags -fPIC -shared -I. -Isrc -Wl,-soname,libwebp.so.7 src/dec/*.c src/dsp/*.c \
        src/enc/*.c src/utils/*.c sharpyuv/*.c -lm -lpthread -o "$made/libwebp.so.7")
fi
if wanted libtiff.so.6; then
    fetch tiff
    # Debian's has all of these too. Those but JPEG and Deflate are the system's own.
    with_cmake tiff -Dtiff-tools=OFF -Dtiff-tests=OFF -Dtiff-contrib=OFF -Dtiff-docs=OFF -Dcxx=OFF -Dwebp=OFF \
        -DZLIB_LIBRARY="$made/libz.so" -DJPEG_LIBRARY="$made/libjpeg.so" -Dlibdeflate=OFF
    keep "$(ls "$work"/tiff/libtiff/libtiff.so | head -1)" libtiff.so.6
fi
if wanted libyaml-0.so.2; then
    fetch libyaml
    (cd "$sources/libyaml" && "$CLANG" $flags -fPIC -shared -Iinclude -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2 \
        -DYAML_VERSION_PATCH=5 '-DYAML_VERSION_STRING="0.2.5"' -Wl,-soname,libyaml-0.so.2 src/*.c -o "$made/libyaml-0.so.2")
fi
ls "$made"
