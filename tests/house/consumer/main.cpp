// The smallest program that shows an installed upcall works: it compiles, links and runs.
#if __has_include(<upcall/upcall.hpp>)
#include <upcall/upcall.hpp>

upcall::task<int> answer() { co_return 0; }

int main() { return upcall::run(answer()); }
#else
#include <cstdio>
#include <upcall/base/result.hpp>

int main() {
    const upcall::result<int> answer = 42;
    std::printf("%d\n", answer.value());
    return answer == 42 ? 0 : 1;
}
#endif
