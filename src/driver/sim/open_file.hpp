// A file that was opened: what its descriptor names.
#pragma once

#include "file_system.hpp"
#include "object.hpp"

namespace upcall::sim {

class open_file final : public object {
  public:
    open_file(node& on, file_reference file, std::uint32_t options);

    void start(request& made) override;
    /// Never called: its requests wait in no list.
    void withdraw(request& waiting) override;
    void close() override {}
    std::uint32_t readiness() const override { return ready_to_read | ready_to_write; }

    file_node& file() const noexcept { return *file_; }
    const file_reference& reference() const noexcept { return file_; }
    std::uint32_t options() const noexcept { return options_; }

  private:
    file_reference file_;
    std::uint32_t options_;
    std::shared_ptr<lane> refusals_;
};

}  // namespace upcall::sim
