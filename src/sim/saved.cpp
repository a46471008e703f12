// Failures as files: a few lines of words, then the choices, runs of one number as "number*times".
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

#include <upcall/sim/seeds.hpp>

namespace upcall::sim {
namespace {

constexpr const char* first_line = "upcall simulated failure, form 1";

std::unexpected<std::error_code> last_error() {
    return failure({errno ? errno : EIO, std::generic_category()});
}

std::unexpected<std::error_code> bad_file() {
    return failure(std::make_error_code(std::errc::invalid_argument));
}

std::string in_one_line(std::string text) {
    for (char& letter : text)
        if (letter == '\n') letter = ' ';
    return text;
}

void write_choices(std::ostream& to, const std::vector<std::uint64_t>& all) {
    for (std::size_t at = 0; at < all.size();) {
        std::size_t end = at + 1;
        while (end < all.size() && all[end] == all[at]) ++end;
        to << all[at];
        if (end - at > 1) to << '*' << end - at;
        to << '\n';
        at = end;
    }
}

bool read_choices(std::istream& from, std::vector<std::uint64_t>& to) {
    constexpr std::size_t most = 100'000'000;
    std::string line;
    while (std::getline(from, line)) {
        std::istringstream one(line);
        std::uint64_t value = 0;
        std::size_t times = 1;
        char star = 0;
        if (!(one >> value)) return false;
        if (one >> star && (star != '*' || !(one >> times))) return false;
        if (times > most - to.size()) return false;
        to.insert(to.end(), times, value);
    }
    return true;
}

}  // namespace

result<void> save(const report& failed, const std::string& path) {
    errno = 0;
    std::ofstream to(path, std::ios::trunc);
    to << first_line << "\nseed " << failed.seed << "\nwithout " << failed.without << "\noutcome "
       << static_cast<int>(failed.how) << ' ' << in_one_line(failed.what) << "\nchoices\n";
    write_choices(to, failed.choices);
    to.close();
    if (!to) return last_error();
    return {};
}

result<report> load(const std::string& path) {
    errno = 0;
    std::ifstream from(path);
    if (!from) return last_error();
    report found;
    std::string line;
    std::string word;
    int how = 0;
    if (!std::getline(from, line) || line != first_line) return bad_file();
    if (!(from >> word >> found.seed) || word != "seed") return bad_file();
    if (!(from >> word >> found.without) || word != "without") return bad_file();
    if (!(from >> word >> how) || word != "outcome") return bad_file();
    if (how < 0 || how > static_cast<int>(ending::limit)) return bad_file();
    found.how = static_cast<ending>(how);
    std::getline(from.ignore(1), found.what);
    if (!std::getline(from, line) || line != "choices") return bad_file();
    if (!read_choices(from, found.choices)) return bad_file();
    return found;
}

}  // namespace upcall::sim
