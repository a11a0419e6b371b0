// What the mock provider and the load generator must agree on: the clock, the running
// hash of a stream's events, and the CRC-32 of AWS EventStream frames.
#ifndef BENCHMARKS_WIRE_H
#define BENCHMARKS_WIRE_H

#include <nmmintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

// The monotonic clock, in nanoseconds. Both programs run on one machine, so that a time
// stamp written by the one can be read by the other.
static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

// Fold one event's bytes into the running hash of its stream. The CRC32C instruction keeps
// this far cheaper than any proxy; the added term makes the order of bytes count.
static inline uint64_t hash_event(uint64_t hash, const char *bytes, int count) {
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = _mm_crc32_u64(hash, word) + (hash << 1);
        bytes += 8;
        count -= 8;
    }
    while (count-- > 0)
        hash = _mm_crc32_u8((uint32_t)hash, (unsigned char)*bytes++) + (hash << 1);
    return hash;
}

static uint32_t crc_table[8][256];

static void crc32_init(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? 0xEDB88320u ^ (crc >> 1) : crc >> 1;
        crc_table[0][i] = crc;
    }
    for (int i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            crc_table[k][i] =
                crc_table[0][crc_table[k - 1][i] & 255] ^ (crc_table[k - 1][i] >> 8);
}

// CRC-32 as zlib has it, eight bytes a step.
static uint32_t crc32_of(const unsigned char *bytes, size_t count) {
    uint32_t crc = ~0u;
    while (count >= 8) {
        uint32_t low, high;
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + 4, 4);
        low ^= crc;
        crc = crc_table[7][low & 255] ^ crc_table[6][(low >> 8) & 255] ^
              crc_table[5][(low >> 16) & 255] ^ crc_table[4][low >> 24] ^
              crc_table[3][high & 255] ^ crc_table[2][(high >> 8) & 255] ^
              crc_table[1][(high >> 16) & 255] ^ crc_table[0][high >> 24];
        bytes += 8;
        count -= 8;
    }
    while (count-- > 0)
        crc = crc_table[0][(crc ^ *bytes++) & 255] ^ (crc >> 8);
    return ~crc;
}

#endif
