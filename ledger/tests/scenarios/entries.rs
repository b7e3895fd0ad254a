//! Accounts, and entries on them.

sheets! {
    accounts_open_and_close: "
        id     | event                        | outcome           | A   | W
        dollar | open A 840                   | Approved 0        | 0   |
        again  | open A 840                   | AccountExists     | 0   |
        other  | open A 710                   | AccountExists     | 0   |
        fund   | post BANK>W 5                | Approved 5        |     | 5
        full   | close W                      | AccountInUse      |     | 5
        void   | post W>BANK 5                | Approved 5        |     | 0
        held   | post BANK>W 5                | Approved 5        |     | 5
        hold   | hold W>M 5                   | Approved 5        |     | 5/0
        take   | post W>BANK 1                | InsufficientFunds |     | 5/0
        busy   | close M                      | AccountInUse      |     |
        free   | void hold                    | Approved 5        |     | 5
        back   | post W>BANK 5                | Approved 5        |     | 0
        close  | close W                      | Approved 0        |     | 0
        twice  | close W                      | AccountClosed     |     |
        reopen | open W 710                   | AccountExists     |     |
        none   | close X                      | AccountNotFound   |     |
        in     | post BANK>W 1                | AccountClosed     |     |
        ask    | card 7 inquire W             | AccountClosed     |     |
    ";

    entries_balance_or_are_refused: "
        id   | event                             | outcome           | BANK | W   | V | M
        fund | post BANK>W 100                   | Approved 100      | -100 | 100 | 0 | 0
        fee  | post W-50,M+47,V+3                | Approved 50       | -100 | 50  | 3 | 47
        same | post W>W 5                        | InvalidEntry      | -100 | 50  | 3 | 47
        zero | post W>M 0                        | InvalidEntry      |      |     |   |
        lop  | post W-5,M+4                      | InvalidEntry      |      |     |   |
        one  | post W-5                          | InvalidEntry      |      |     |   |
        none | post                              | InvalidEntry      |      |     |   |
        nil  | post W-5,M+5,V+0                  | InvalidEntry      |      |     |   |
        two  | post W-5,M+3,M+2                  | InvalidEntry      |      |     |   |
        min  | post W>M MIN                      | InvalidEntry      |      |     |   |
        cur  | post W>M 5 cur=840                | CurrencyMismatch  |      |     |   |
        lost | post W>X 5                        | AccountNotFound   |      |     |   |
        poor | post W>M 51                       | InsufficientFunds |      | 50  |   | 47
        last | post W>M 50                       | Approved 50       |      | 0   |   | 97
        neg  | post W>M -30                      | Approved 30       | -100 | 30  | 3 | 67
    ";

    up_to_sixteen_postings: "
        id  | event                                                                                       | outcome
        o1  | open a 710 | Approved
        o2  | open b 710 | Approved
        o3  | open c 710 | Approved
        o4  | open d 710 | Approved
        o5  | open e 710 | Approved
        o6  | open f 710 | Approved
        o7  | open g 710 | Approved
        o8  | open h 710 | Approved
        o9  | open i 710 | Approved
        o10 | open j 710 | Approved
        o11 | open k 710 | Approved
        o12 | open l 710 | Approved
        id  | event | outcome | BANK | a | l | W
        p16 | post BANK-15,a+1,b+1,c+1,d+1,e+1,f+1,g+1,h+1,i+1,j+1,k+1,l+1,W+1,V+1,M+1 | Approved 15 | -15 | 1 | 1 | 1
        rev | reverse p16 | Approved 15 | 0 | 0 | 0 | 0
        o17 | open m 710  | Approved
        p17 | post BANK-16,a+1,b+1,c+1,d+1,e+1,f+1,g+1,h+1,i+1,j+1,k+1,l+1,m+1,W+1,V+1,M+1 | InvalidEntry | 0 | 0 | 0 | 0
        h16 | hold BANK-15,a+1,b+1,c+1,d+1,e+1,f+1,g+1,h+1,i+1,j+1,k+1,l+1,W+1,V+1,M+1 | Approved 15 | 0/-15 | 0 | 0 | 0
        c1  | capture h16 14       | InvalidAmount | 0/-15
        r1  | reverse h16 to 3     | NotReversible | 0/-15
        c2  | capture h16 15       | Approved 15   | -15 | 1 | 1 | 1
    ";

    the_ends_of_64_bits: "
        id   | event                      | outcome           | BANK     | W     | M | A
        all  | post BANK>W MAX            | Approved MAX      | -MAX     | MAX   | 0 |
        more | post BANK>V 1              | Overflow          | -MAX     | MAX   |   |
        in   | post V>W 1                 | InsufficientFunds |          |       |   |
        free | open A 710 floor=unlimited | Approved          |          |       |   | 0
        over | post A>W 1                 | Overflow          |          | MAX   |   | 0
        sum  | post A-MAX,M+MAX,BANK+MAX,V-MAX | InsufficientFunds | |   |   | 0
        b    | open B 710 floor=unlimited | Approved          |          |       |   |
        wide | post A-MAX,M+MAX,V+MAX,B-MAX | Overflow        | -MAX     | MAX   | 0 | 0
        hold | hold W>M MAX               | Approved MAX      |          | MAX/0 | 0 |
        none | post A>M 1                 | Overflow          |          |       | 0 | 0
        part | capture hold 1             | Approved 1        |          | 9223372036854775806/0 | 1 |
        rest | capture hold 9223372036854775806 last | Approved 9223372036854775806 | | 0 | MAX |
        neg  | reverse all to MIN         | InvalidAmount     |          |       |   |
        low  | reverse all to -1          | InvalidAmount     |          |       |   |
        high | reverse all to MAX         | Approved 0        | -MAX     | 0     |   |
        back | reverse all                | Overflow          | -MAX     | 0     | MAX |
        rcap | reverse rest to MIN        | InvalidAmount     |          |       |   |
        wcap | capture hold MIN           | HoldNotFound      |          |       |   |
    ";

    a_batch_is_posted_whole_or_not_at_all: "
        id    | event                                   | outcome           | W      | M  | V
        fund  | post BANK>W 100                         | Approved 100      | 100    | 0  | 0
        pay   | batch W>M 60 & M>V 50 & BANK>W 5        | Approved 115      | 45     | 10 | 50
        pay   | batch W>M 60 & M>V 50 & BANK>W 5        | Approved 115 again | 45    | 10 | 50
        # Each entry is judged after those before it: what comes in first may go out again.
        order | batch M>V 30 & W>M 20                   | InsufficientFunds | 45     | 10 | 50
        other | batch W>M 20 & M>V 30                   | Approved 50       | 25     | 0  | 80
        poor  | batch W>M 25 & W>M 1                    | InsufficientFunds | 25     | 0  | 80
        form  | batch W>M 5 & W>W 5                     | InvalidEntry      | 25     | 0  | 80
        acc   | batch W>M 5 & W>X 5                     | AccountNotFound   | 25     | 0  | 80
        cur   | batch W>M 5 cur=840                     | CurrencyMismatch  | 25     | 0  | 80
        back  | reverse other                           | NotReversible     | 25     | 0  | 80
    ";

    what_was_paid_elsewhere_is_posted_whatever_there_is: "
        id    | event                                | outcome          | W       | M
        fund  | post BANK>W 100                      | Approved         | 100     | 0
        d     | open D 840 floor=unlimited           | Approved         |         |
        e     | open E 840 floor=unlimited           | Approved         |         |
        poor  | card 7 post W>M 130                  | InsufficientFunds | 100    | 0
        adv   | card 7 force - W>M 130               | Approved 130     | -30     | 130
        adv   | card 7 force - W>M 130               | Approved 130 again | -30   | 130
        form  | card 7 force - W>M 0                 | InvalidEntry     | -30     | 130
        acc   | card 7 force - W>X 1                 | AccountNotFound  | -30     | 130
        cur   | card 7 force - W>M 1 cur=840         | CurrencyMismatch | -30     | 130
        undo  | card 7 reverse adv                   | Approved 130     | 100     | 0
        # A hold that is named goes, one of another card or another currency stays.
        a     | card 7 hold W>M 50 keys=#rrn         | Approved 50      | 100/50  | 0
        other | card 8 force #rrn W>M 10             | Approved 10      | 90/40   | 10
        far   | card 7 force #rrn D>E 1 cur=840      | Approved 1       | 90/40   | 10
        all   | card 7 force #rrn W>M 95             | Approved 95      | -5      | 105
        twice | card 7 force #rrn W>M 5              | Approved 5       | -10     | 110
        void  | card 7 reverse a                     | NotReversible    | -10     | 110
        none  | card 7 force #none W>M 5             | Approved 5       | -15     | 115
        wrong | card 7 force - W>M 5 pin=wrong       | WrongPin         | -15     | 115
    ";

    no_room_for_accounts_and_holds: "
        bounds accounts=5 holds=1
        id   | event                     | outcome           | W     | M
        five | open A 710                | Approved          |       |
        six  | open B 710                | Full              |       |
        six2 | open A 710                | AccountExists     |       |
        fund | post BANK>W 100           | Approved          | 100   |
        a    | hold W>M 10               | Approved 10       | 100/90 |
        b    | hold W>M 10               | Full              | 100/90 |
        b2   | hold W>M 91               | InsufficientFunds | 100/90 |
        c    | card 7 hold W>M 10        | Full              | 100/90 |
        free | void a                    | Approved 10       | 100   |
        # A copy of what was refused is refused: whoever asked has been told no.
        c    | card 7 hold W>M 10        | Full again        | 100   |
        d    | card 7 hold W>M 10        | Approved 10       | 100/90 |
    ";
}
