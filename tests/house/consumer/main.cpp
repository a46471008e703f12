// The smallest program that shows an installed upcall works: it compiles, links and runs.
#include <upcall/upcall.hpp>

#if __has_include(<upcall/runtime/run.hpp>)
upcall::task<int> answer() { co_return 0; }

int main() { return upcall::run(answer()); }
#else
int main() {
    const upcall::result<int> answer = upcall::failure(upcall::errc::closed);
    return answer.error().message().empty() ? 1 : 0;
}
#endif
