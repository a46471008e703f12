#include "doctor/write_text.hpp"

#include <cerrno>
#include <system_error>

#include "doctor/words.hpp"

namespace upcall_doctor {
namespace {

using upcall::capability;
using upcall::kernel_interface;
using upcall::presence;
using upcall::reason;
using outcome = upcall::ring_test_result::outcome;

void write_driver(text_page& page, const examination& found) {
    page.heading("Driver: " + found.choice.name);
    for (const std::string& each : found.choice.reasons) page.paragraph(each);
    if (found.overruled_by.empty()) return;
    const std::string problem = found.overrule_problem();
    if (problem.empty())
        page.paragraph("UPCALL_DRIVER is set: programs started from here use '" +
                           found.overruled_by + "' instead.",
                       tone::warning);
    else
        page.paragraph("UPCALL_DRIVER is set to '" + found.overruled_by +
                           "': programs started from here get no driver and fail. " + problem,
                       tone::bad);
}

void write_host(text_page& page, const upcall::host_system& system) {
    page.heading("Host");
    page.item("kernel", system.kernel + ' ' + system.release +
                            (system.machine.empty() ? "" : " on " + system.machine));
    std::string processors = std::to_string(system.processors);
    if (system.processors_usable != system.processors)
        processors += ", of which this process can keep " +
                      std::to_string(system.processors_usable) + " busy";
    page.item("processors", processors);
    if (!system.container.empty()) {
        std::string evidence;
        for (const std::string& each : system.container_evidence)
            evidence += (evidence.empty() ? "" : "; ") + each;
        page.item("container", system.container + " (" + evidence + ')');
    }
    page.item("seccomp", words_for(system.seccomp));
    if (!system.security_label.empty()) page.item("label", system.security_label);
    page.item("user", std::to_string(system.user) +
                          (system.may_lock_memory ? ", may lock any amount of memory" : "") +
                          (system.no_new_privileges ? ", can gain no privileges" : ""));
}

void write_interfaces(text_page& page, const upcall::host& host) {
    page.heading("Interfaces");
    for (const upcall::availability& each : host.interfaces) {
        const std::string_view name = name_of(each.what);
        if (each.available)
            page.marked(name, "yes", tone::good, each.why);
        else if (each.code == reason::not_on_this_system)
            page.marked(name, "-", tone::faint, each.why);
        else
            page.marked(name, "no", tone::bad, each.why);
        if (!each.advice.empty()) page.advice(each.advice);
    }
}

void write_engines(text_page& page, const std::vector<examined_engine>& engines) {
    if (engines.empty()) return;
    page.heading("File engines, in place of the pool beside epoll, poll, select and sigio");
    for (const examined_engine& each : engines) {
        const bool steps_down = !each.refused.empty();
        page.marked(each.name, steps_down ? "no" : "yes", steps_down ? tone::bad : tone::good,
                    words_for(each));
    }
}

std::string join(const std::vector<capability>& all, presence wanted, bool with_version) {
    std::string text;
    for (const capability& each : all) {
        if (each.state != wanted) continue;
        if (!text.empty()) text += ", ";
        text += each.name;
        if (with_version) text += " (" + std::string(each.since) + ')';
    }
    return text;
}

std::size_t count(const std::vector<capability>& all, presence wanted) {
    std::size_t number = 0;
    for (const capability& each : all) number += each.state == wanted ? 1 : 0;
    return number;
}

void write_capabilities(text_page& page, std::string_view label, const std::vector<capability>& all,
                        bool everything) {
    const std::size_t unknown = count(all, presence::unknown);
    if (unknown == all.size()) {
        page.item(label, "unknown: the kernel could not be asked");
        return;
    }
    std::string summary =
        std::to_string(count(all, presence::present)) + " of " + std::to_string(all.size());
    if (unknown) summary += ", " + std::to_string(unknown) + " unknown";
    if (const std::string missing = join(all, presence::absent, true); !missing.empty())
        summary += ". Missing (came with): " + missing;
    page.item(label, summary);
    if (!everything) return;
    if (const std::string there = join(all, presence::present, false); !there.empty())
        page.item("", "has: " + there, tone::faint);
    if (unknown) page.item("", "unknown: " + join(all, presence::unknown, false));
}

void write_tests(text_page& page, const upcall::ring_facts& ring) {
    std::string passed;
    std::string failed;
    for (std::size_t i = 0; i < upcall::ring_test_count; ++i) {
        const upcall::ring_test_result& result = ring.tests[i];
        if (result.state == outcome::not_run) continue;
        std::string name(name_of(static_cast<upcall::ring_test>(i)));
        if (result.error) name += " (" + std::generic_category().message(result.error) + ')';
        std::string& list = result.state == outcome::passed ? passed : failed;
        list += (list.empty() ? "" : ", ") + name;
    }
    if (!passed.empty()) page.item("works", passed, tone::good);
    if (!failed.empty()) page.item("fails", failed, tone::bad);
}

bool is_anything_known(const upcall::ring_facts& ring) {
    return ring.setup.known.any() || ring.features.known.any() || ring.opcodes.known.any();
}

void write_ring(text_page& page, const upcall::host& host, bool everything) {
    const upcall::ring_facts& ring = host.ring;
    if (host[kernel_interface::uring].code == reason::not_on_this_system) return;
    page.heading(host[kernel_interface::uring].available
                     ? "io_uring"
                     : "io_uring (as the kernel has it, though it cannot be used here)");
    if (!is_anything_known(ring)) {
        page.paragraph("The kernel could not be asked what it has.");
        return;
    }
    write_tests(page, ring);
    write_capabilities(page, "setup flags", ring_setup_flags(ring), everything);
    write_capabilities(page, "features", ring_features(ring), everything);
    write_capabilities(page, "enter flags", ring_enter_flags(ring), everything);
    write_capabilities(page, "opcodes", ring_opcodes(ring), everything);
    write_capabilities(page, "register", ring_register_operations(ring), everything);
}

void write_limits(text_page& page, const upcall::host& host, bool everything) {
    page.heading(everything ? "Limits" : "Limits that will bite");
    bool is_any = false;
    for (const upcall::limit_fact& each : limit_report(host)) {
        if (!everything && !each.bites()) continue;
        // A limit that this system does not have limits nothing.
        if (each.amount.error == ENOENT) continue;
        is_any = true;
        const std::string amount = words_for(each);
        page.item(amount, std::string(each.source) + ": " + std::string(each.meaning),
                  each.bites() ? tone::warning : tone::plain);
        if (each.bites()) page.advice(each.advice);
    }
    if (!is_any) page.paragraph("None on this host.");
    if (!host.limits.sysctls_readable)
        page.paragraph("The sysctls beneath /proc/sys cannot be read here.", tone::warning);
}

void write_paths(text_page& page, const std::vector<examined_path>& paths) {
    if (paths.empty()) return;
    page.heading("Files");
    for (const examined_path& each : paths)
        page.item(each.path,
                  each.facts ? words_for(*each.facts) : each.facts.error().message() + '.');
}

}  // namespace

std::string write_text(const examination& found, page_style style, bool everything) {
    text_page page(style);
    write_driver(page, found);
    write_host(page, found.host.system);
    write_interfaces(page, found.host);
    write_engines(page, found.engines);
    write_ring(page, found.host, everything);
    write_limits(page, found.host, everything);
    write_paths(page, found.paths);
    if (!everything) {
        page.heading("More");
        page.paragraph(
            "`upcall doctor --all` names every flag, opcode and limit; `--json` is for "
            "programs.");
    }
    return page.text();
}

}  // namespace upcall_doctor
