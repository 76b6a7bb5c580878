// MD5, which names the parts of a long XMP packet in JPEG. Source: RFC 1321.
#include "codec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint32_t turned(uint32_t x, int by) { return x << by | x >> (32 - by); }

static void add_block(uint32_t state[4], const uint8_t *block) {
    static const uint8_t turns[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
    uint32_t words[16];
    for (int i = 0; i < 16; i++)
        words[i] = block[4 * i] | (uint32_t)block[4 * i + 1] << 8 | (uint32_t)block[4 * i + 2] << 16 |
                   (uint32_t)block[4 * i + 3] << 24;
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (int i = 0; i < 64; i++) {
        uint32_t f;
        int word;
        switch (i / 16) {
        case 0: f = (b & c) | (~b & d), word = i; break;
        case 1: f = (d & b) | (~d & c), word = (5 * i + 1) % 16; break;
        case 2: f = b ^ c ^ d, word = (3 * i + 5) % 16; break;
        default: f = c ^ (b | ~d), word = 7 * i % 16;
        }
        uint32_t constant = (uint32_t)(fabs(sin(i + 1.0)) * 4294967296.0);
        uint32_t next = b + turned(a + f + constant + words[word], turns[i / 16 * 4 + i % 4]);
        a = d, d = c, c = b, b = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

void codec_md5(const uint8_t *bytes, size_t count, char digits[33]) {
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    size_t whole = count / 64 * 64;
    for (size_t i = 0; i < whole; i += 64) add_block(state, bytes + i);
    uint8_t rest[128] = {0};
    memcpy(rest, bytes + whole, count - whole);
    rest[count - whole] = 0x80;
    size_t last = count - whole < 56 ? 64 : 128;
    for (int i = 0; i < 8; i++) rest[last - 8 + i] = (uint8_t)((uint64_t)count * 8 >> 8 * i);
    for (size_t i = 0; i < last; i += 64) add_block(state, rest + i);
    for (int i = 0; i < 16; i++) snprintf(digits + 2 * i, 3, "%02X", state[i / 4] >> 8 * (i % 4) & 255);
}
