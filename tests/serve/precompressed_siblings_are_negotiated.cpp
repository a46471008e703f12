#include "serve/content_coding.hpp"
#include "serve/parsed_request.hpp"

namespace {

using namespace upcall_serve;
using enum content_coding;

coding_set set_of(std::initializer_list<content_coding> codings) {
    coding_set set;
    for (content_coding coding : codings) set.add(coding);
    return set;
}

const coding_set everything = set_of({gzip, zstd, br});

content_coding chosen(const char* accept, coding_set available = everything) {
    accepted_codings codings;
    codings.add(accept);
    return codings.choose(available);
}

TEST(precompressed_siblings, are_chosen_by_weight_then_by_our_preference) {
    EXPECT_EQ(chosen("gzip, deflate, br, zstd"), br);
    EXPECT_EQ(chosen("gzip, deflate, br, zstd", set_of({gzip, zstd})), zstd);
    EXPECT_EQ(chosen("gzip, deflate, br, zstd", set_of({gzip})), gzip);
    EXPECT_EQ(chosen("gzip, deflate, br, zstd", {}), identity);
    EXPECT_EQ(chosen("gzip"), gzip);
    EXPECT_EQ(chosen("br;q=0.5, gzip"), gzip);
    EXPECT_EQ(chosen("br;q=0.5, gzip;q=0.499"), br);
    EXPECT_EQ(chosen("gzip;q=0.001"), gzip);
    EXPECT_EQ(chosen("x-gzip"), gzip);
    EXPECT_EQ(chosen("GZIP"), gzip);
    EXPECT_EQ(chosen("gzip ; q=0.3 , br ;\tq=0.2"), gzip);
    EXPECT_EQ(chosen("gzip;Q=1"), gzip);
}

TEST(precompressed_siblings, are_left_when_not_accepted) {
    for (const char* accept :
         {"", "deflate", "compress, deflate", "gzip;q=0", "gzip;q=0.000, br;q=0.0", "*;q=0",
          "identity", "identity;q=1, *;q=0", "gzippy", "gz", ",,,", "br-x"})
        EXPECT_EQ(chosen(accept), identity) << accept;
}

TEST(precompressed_siblings, identity_counts_when_it_is_named) {
    EXPECT_EQ(chosen("identity, gzip;q=0.5"), identity);
    EXPECT_EQ(chosen("identity;q=0.5, gzip;q=0.5"), gzip);
    EXPECT_EQ(chosen("identity;q=0.5, gzip;q=0.4"), identity);
    EXPECT_EQ(chosen("identity;q=0, gzip;q=0.1"), gzip);
    EXPECT_EQ(chosen("identity;q=0"), identity) << "there is nothing else to send";
}

TEST(precompressed_siblings, the_star_stands_for_what_is_not_named) {
    EXPECT_EQ(chosen("*"), br);
    EXPECT_EQ(chosen("*;q=0.1"), br);
    EXPECT_EQ(chosen("br;q=0, *"), zstd);
    EXPECT_EQ(chosen("gzip, *;q=0"), gzip);
    EXPECT_EQ(chosen("gzip;q=0.2, *;q=0.1"), gzip);
    EXPECT_EQ(chosen("*, br;q=0, zstd;q=0, gzip;q=0"), identity);
}

TEST(precompressed_siblings, elements_that_cannot_be_read_are_passed_over) {
    for (const char* bad : {"gzip;q=2", "gzip;q=1.001", "gzip;q=-1", "gzip;q=0.1234",
                            "gzip;q=", "gzip;q", "gzip;x=1", "gzip;q=a", "gzip;q=0,5", "gzip q=1",
                            "gzip;q=.5", "gzip;q=1.0;x", "gzip;q = 1", "gzip;;q=1"}) {
        EXPECT_EQ(chosen(bad), identity) << bad;
        EXPECT_EQ(chosen((std::string(bad) + ", br").c_str()), br) << bad;
    }
    EXPECT_EQ(chosen("gzip;q=1."), gzip) << "RFC 9110, section 12.4.2, allows no digit";
    EXPECT_EQ(chosen("gzip;q=1.000"), gzip);
}

TEST(precompressed_siblings, identity_is_acceptable_unless_ruled_out) {
    auto takes_identity = [](const char* accept) {
        accepted_codings codings;
        codings.add(accept);
        return codings.takes(identity);
    };
    for (const char* accept : {"", "gzip", "*", "*;q=0, identity", "*;q=0, identity;q=0.001"})
        EXPECT_TRUE(takes_identity(accept)) << accept;
    for (const char* accept : {"*;q=0", "gzip, *;q=0", "identity;q=0", "*, identity;q=0"})
        EXPECT_FALSE(takes_identity(accept)) << accept;
}

TEST(precompressed_siblings, lines_add_up) {
    const parsed_request it("Accept-Encoding: gzip;q=0.5\r\nAccept-Encoding: br;q=0.7\r\n");
    const accepted_codings codings = accepted_codings::of(*it);
    EXPECT_TRUE(codings.takes(gzip));
    EXPECT_TRUE(codings.takes(br));
    EXPECT_FALSE(codings.takes(zstd));
    EXPECT_TRUE(codings.takes(identity));
    EXPECT_EQ(codings.choose(everything), br);
}

TEST(precompressed_siblings, codings_have_names_and_endings) {
    EXPECT_EQ(coding_name(gzip), "gzip");
    EXPECT_EQ(coding_suffix(gzip), ".gz");
    EXPECT_EQ(coding_name(zstd), "zstd");
    EXPECT_EQ(coding_suffix(zstd), ".zst");
    EXPECT_EQ(coding_name(br), "br");
    EXPECT_EQ(coding_suffix(br), ".br");
    EXPECT_EQ(coding_name(identity), "");
    EXPECT_EQ(coding_suffix(identity), "");
}

}  // namespace
