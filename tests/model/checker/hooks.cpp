// What code compiled with -fsanitize=thread calls: the accesses and the atomic operations, here
// handed to the checker. Nothing of ThreadSanitizer's runtime is linked.
#include <sched.h>

#include <cstdlib>
#include <cstring>

#include "model/checker/core.hpp"

using namespace model;

namespace {

std::uintptr_t caller(const void* address) noexcept {
    return reinterpret_cast<std::uintptr_t>(address);
}

/// What each thread has loaded last: who then yields waits until it is another value.
struct looked {
    const void* at;
    std::uint32_t bytes;
    std::uint64_t value;
};
looked last[threads_max];

bool acquires(int order) noexcept {
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
           order == __ATOMIC_SEQ_CST;
}
bool releases(int order) noexcept {
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

clock& mine() noexcept { return knowledge(static_cast<unsigned>(self())); }

template <class T>
T load(const volatile T* at, int order, std::uintptr_t from) noexcept {
    const int me = self();
    if (me < 0) return __atomic_load_n(at, __ATOMIC_SEQ_CST);
    const auto* object = const_cast<const T*>(at);
    order = order_at(from, order, true, false);
    arrive({.what = kind::load, .object = object, .bytes = sizeof(T), .from = from});
    touch(object, sizeof(T), access::atomic_read, from);
    if (acquires(order)) mine().join(released_at(object));
    const T value = *object;
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    last[me] = {object, sizeof(T), bits};
    return value;
}

template <class T>
void store(volatile T* at, T value, int order, std::uintptr_t from) noexcept {
    if (self() < 0) return __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
    auto* object = const_cast<T*>(at);
    order = order_at(from, order, false, true);
    arrive({.what = kind::store, .object = object, .bytes = sizeof(T), .from = from});
    touch(object, sizeof(T), access::atomic_write, from);
    if (releases(order))
        released_at(object) = give();
    else
        released_at(object) = {};  // ends the release sequence
    *object = value;
}

template <class T, class Change>
T change(volatile T* at, int order, std::uintptr_t from, Change what) noexcept {
    auto* object = const_cast<T*>(at);
    order = order_at(from, order, true, true);
    arrive({.what = kind::change, .object = object, .bytes = sizeof(T), .from = from});
    touch(object, sizeof(T), access::atomic_write, from);
    const T before = *object;
    if (acquires(order)) mine().join(released_at(object));
    if (releases(order)) released_at(object).join(give());
    *object = what(before);
    return before;
}

template <class T>
bool exchange_if(volatile T* at, T* expected, T desired, int order, int otherwise,
                 std::uintptr_t from) noexcept {
    if (self() < 0)
        return __atomic_compare_exchange_n(at, expected, desired, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    auto* object = const_cast<T*>(at);
    order = order_at(from, order, true, true);
    arrive({.what = kind::change, .object = object, .bytes = sizeof(T), .from = from});
    const T before = *object;
    if (before != *expected) {
        was_load();
        touch(object, sizeof(T), access::atomic_read, from);
        if (acquires(otherwise) && acquires(order)) mine().join(released_at(object));
        *expected = before;
        return false;
    }
    touch(object, sizeof(T), access::atomic_write, from);
    if (acquires(order)) mine().join(released_at(object));
    if (releases(order)) released_at(object).join(give());
    *object = desired;
    return true;
}

}  // namespace

#define FROM caller(__builtin_return_address(0))

#define MODEL_ACCESS(bytes)                                                                 \
    void __tsan_read##bytes(void* at) { touch(at, bytes, access::read, FROM); }             \
    void __tsan_write##bytes(void* at) { touch(at, bytes, access::write, FROM); }           \
    void __tsan_unaligned_read##bytes(void* at) { touch(at, bytes, access::read, FROM); }   \
    void __tsan_unaligned_write##bytes(void* at) { touch(at, bytes, access::write, FROM); } \
    void __tsan_volatile_read##bytes(void* at) { touch(at, bytes, access::read, FROM); }    \
    void __tsan_volatile_write##bytes(void* at) { touch(at, bytes, access::write, FROM); }  \
    void __tsan_read_write##bytes(void* at) { touch(at, bytes, access::write, FROM); }      \
    void __tsan_unaligned_read_write##bytes(void* at) { touch(at, bytes, access::write, FROM); }

#define MODEL_FETCH(bits, T, name, expression)                                                     \
    T __tsan_atomic##bits##_##name(volatile T* at, T value, int order) {                           \
        if (self() < 0) {                                                                          \
            T before = __atomic_load_n(at, __ATOMIC_SEQ_CST);                                      \
            while (!__atomic_compare_exchange_n(at, &before, (expression), true, __ATOMIC_SEQ_CST, \
                                                __ATOMIC_SEQ_CST)) {                               \
            }                                                                                      \
            return before;                                                                         \
        }                                                                                          \
        return change(at, order, FROM, [value](T before) noexcept -> T {                           \
            static_cast<void>(before);                                                             \
            return (expression);                                                                   \
        });                                                                                        \
    }

#define MODEL_ATOMIC(bits, T)                                                                      \
    T __tsan_atomic##bits##_load(const volatile T* at, int order) {                                \
        return load(at, order, FROM);                                                              \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile T* at, T value, int order) {                         \
        store(at, value, order, FROM);                                                             \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile T* at, T* expected, T desired,      \
                                                      int order, int otherwise) {                  \
        return exchange_if(at, expected, desired, order, otherwise, FROM);                         \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile T* at, T* expected, T desired,        \
                                                    int order, int otherwise) {                    \
        return exchange_if(at, expected, desired, order, otherwise, FROM);                         \
    }                                                                                              \
    T __tsan_atomic##bits##_compare_exchange_val(volatile T* at, T expected, T desired, int order, \
                                                 int otherwise) {                                  \
        exchange_if(at, &expected, desired, order, otherwise, FROM);                               \
        return expected;                                                                           \
    }                                                                                              \
    MODEL_FETCH(bits, T, exchange, value)                                                          \
    MODEL_FETCH(bits, T, fetch_add, static_cast<T>(before + value))                                \
    MODEL_FETCH(bits, T, fetch_sub, static_cast<T>(before - value))                                \
    MODEL_FETCH(bits, T, fetch_and, static_cast<T>(before & value))                                \
    MODEL_FETCH(bits, T, fetch_or, static_cast<T>(before | value))                                 \
    MODEL_FETCH(bits, T, fetch_xor, static_cast<T>(before ^ value))                                \
    MODEL_FETCH(bits, T, fetch_nand, static_cast<T>(~(before & value)))

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

MODEL_ACCESS(1)
MODEL_ACCESS(2)
MODEL_ACCESS(4)
MODEL_ACCESS(8)
MODEL_ACCESS(16)

void __tsan_read_range(void* at, std::size_t bytes) { touch(at, bytes, access::read, FROM); }
void __tsan_write_range(void* at, std::size_t bytes) { touch(at, bytes, access::write, FROM); }
void __tsan_vptr_read(void** at) { touch(at, sizeof(void*), access::read, FROM); }
void __tsan_vptr_update(void** at, void* value) {
    if (*at != value) touch(at, sizeof(void*), access::write, FROM);
}

void* __tsan_memcpy(void* to, const void* from, std::size_t bytes) {
    touch(from, bytes, access::read, FROM);
    touch(to, bytes, access::write, FROM);
    return std::memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, std::size_t bytes) {
    touch(from, bytes, access::read, FROM);
    touch(to, bytes, access::write, FROM);
    return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, std::size_t bytes) {
    touch(to, bytes, access::write, FROM);
    return std::memset(to, value, bytes);
}

MODEL_ATOMIC(8, unsigned char)
MODEL_ATOMIC(16, unsigned short)
MODEL_ATOMIC(32, unsigned)
MODEL_ATOMIC(64, unsigned long)

void __tsan_atomic_thread_fence(int) {
    if (self() >= 0) fail("fences are beyond this checker", FROM, nullptr);
}
void __tsan_atomic_signal_fence(int) {}

// Who yields looks again when somebody has changed what it looked at.
int sched_yield() noexcept {
    const int me = self();
    if (me < 0) return 0;
    arrive({kind::differ, last[me].at, last[me].bytes, FROM, last[me].value, nullptr});
    return 0;
}
}
