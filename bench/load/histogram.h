// Latencies by value, each kept to within 1/128: linear buckets inside every power of two, as in
// HdrHistogram. Recording is an increment; nothing is sampled or dropped.
#ifndef UPCALL_BENCH_HISTOGRAM_H
#define UPCALL_BENCH_HISTOGRAM_H

#include <stdint.h>
#include <string.h>

enum { histogram_bits = 7, histogram_linear = 1 << histogram_bits, histogram_powers = 40 };

struct histogram {
    uint64_t counts[histogram_powers * histogram_linear];
    uint64_t total, sum, largest;
};

static inline void histogram_clear(struct histogram* h) { memset(h, 0, sizeof *h); }

// Values under 2 * 128 have a bucket each; above, the leading 8 bits choose it.
static inline unsigned histogram_index(uint64_t value) {
    if (value < 2 * histogram_linear) return (unsigned)value;
    const unsigned shift = 63U - (unsigned)__builtin_clzll(value) - histogram_bits;
    const unsigned index = shift * histogram_linear + (unsigned)(value >> shift);
    const unsigned last = histogram_powers * histogram_linear - 1;
    return index < last ? index : last;
}

// The highest value that falls into the bucket.
static inline uint64_t histogram_value(unsigned index) {
    if (index < 2 * histogram_linear) return index;
    const unsigned shift = index / histogram_linear - 1;
    const uint64_t lead = index - shift * histogram_linear;
    return ((lead + 1) << shift) - 1;
}

static inline void histogram_add(struct histogram* h, uint64_t value) {
    ++h->counts[histogram_index(value)];
    ++h->total;
    h->sum += value;
    if (value > h->largest) h->largest = value;
}

// The smallest recorded value that `fraction` of all do not exceed.
static inline uint64_t histogram_quantile(const struct histogram* h, double fraction) {
    const double wanted = fraction * (double)h->total;
    uint64_t seen = 0;
    for (unsigned i = 0; i < histogram_powers * histogram_linear; ++i) {
        seen += h->counts[i];
        if (seen > 0 && (double)seen >= wanted) {
            const uint64_t value = histogram_value(i);
            return value < h->largest ? value : h->largest;
        }
    }
    return h->largest;
}
#endif
