#include "lab/raw/file_reads.hpp"

#include <unistd.h>

#include <cerrno>

#include "lab/findings.hpp"
#include "lab/raw/linux_aio.hpp"
#include "lab/raw/posix_aio.hpp"
#include "lab/raw/ring_io.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

/// pread(2): each read is done by the time it has been prepared.
class plain_reads final : public read_engine {
  public:
    explicit plain_reads(int file) : file_(file) {}

    void prepare(unsigned slot, void* buffer, std::size_t size, std::uint64_t offset) override {
        const auto got = ::pread(file_, buffer, size, static_cast<off_t>(offset));
        expect_whole("pread", got < 0 ? -errno : got, size);
        done_.push_back(slot);
    }
    void hand_over(unsigned, std::vector<unsigned>& ended) override {
        ended.insert(ended.end(), done_.begin(), done_.end());
        done_.clear();
    }

  private:
    int file_;
    std::vector<unsigned> done_;
};

}  // namespace

std::string name_of(read_way way) {
    switch (way) {
        case read_way::plain:
            return "plain calls";
        case read_way::ring:
            return "io_uring";
        case read_way::ring_twice:
            return "io_uring, two calls";
        case read_way::linux_aio:
            return "Linux AIO";
        case read_way::posix_aio:
            return "POSIX AIO";
        case read_way::posix_aio_list:
            return "POSIX AIO, lio_listio";
    }
    return {};
}

std::unique_ptr<read_engine> make_read_engine(read_way way, int file, unsigned slots) {
    switch (way) {
        case read_way::plain:
            return std::make_unique<plain_reads>(file);
        case read_way::ring:
        case read_way::ring_twice:
            return std::make_unique<ring_reads>(file, slots, way == read_way::ring_twice);
        case read_way::linux_aio:
            return std::make_unique<linux_aio_reads>(file, slots);
        case read_way::posix_aio:
        case read_way::posix_aio_list:
            return std::make_unique<posix_aio_reads>(file, slots, way == read_way::posix_aio_list);
    }
    return {};
}

void expect_whole(const char* by, std::int64_t result, std::size_t size) {
    if (result < 0)
        throw lab_error(failed(std::string("read by ") + by, static_cast<int>(-result)));
    if (static_cast<std::size_t>(result) != size)
        throw lab_error(std::string("a read by ") + by + " brought " + std::to_string(result) +
                        " bytes of " + std::to_string(size));
}

}  // namespace upcall_lab
