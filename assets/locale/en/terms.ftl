### Why terms of business are not accepted.

tob-bad-text = These terms have characters that a person cannot see or that turn the direction of writing
    .standing = They were not accepted. No deal was opened and nothing was paid
    .advice = Do not buy under these terms. Tell the shop which file it is
tob-size = These terms are larger than terms of business may be
    .standing = They were not accepted. No deal was opened and nothing was paid
    .advice = Do not buy under these terms. Tell the shop
tob-parse = These terms are not in the format of terms of business
    .standing = They were not accepted. No deal was opened and nothing was paid
    .advice = Tell the shop. Its terms may be damaged, or made for another version of SEMPER
tob-reference = These terms name something that they do not define
    .standing = They were not accepted. No deal was opened and nothing was paid
    .advice = Tell the shop. Its terms are damaged or incomplete
tob-flatten = The building blocks of these terms do not fit together
    .standing = They were not accepted. No deal was opened and nothing was paid
    .advice = Tell the shop. Its terms are damaged or incomplete
