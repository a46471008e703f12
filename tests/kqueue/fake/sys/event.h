// In the place of the system's <sys/event.h>: a kqueue made of data
// (tests/kqueue/queue_of_data.hpp).
//
// Members and counts have the types of NetBSD, which differ most from those of libkqueue: filters
// are unsigned, kevent counts in size_t. Without user events it is OpenBSD's.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef UPCALL_TEST_WITHOUT_USER_EVENTS

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    int64_t data;
    void* udata;
};
typedef int kevent_count;

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_CLEAR 0x0020
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

#else

struct kevent {
    uintptr_t ident;
    uint32_t filter;
    uint32_t flags;
    uint32_t fflags;
    int64_t data;
    void* udata;
};
typedef size_t kevent_count;

#define EVFILT_READ 0U
#define EVFILT_WRITE 1U
#define EVFILT_USER 8U
#define NOTE_TRIGGER 0x01000000U

#define EV_ADD 0x0001U
#define EV_DELETE 0x0002U
#define EV_CLEAR 0x0020U
#define EV_ERROR 0x4000U
#define EV_EOF 0x8000U

#endif

extern "C" {
int kqueue(void);
int kevent(int queue, const struct kevent* changes, kevent_count change_count,
           struct kevent* events, kevent_count event_count, const struct timespec* time);
}
