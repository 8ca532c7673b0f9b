"""The vocabulary of the sample world: invented brands, and texts that often break exports."""

WORDS: dict[str, list[str]] = {
    "first_names": [
        "Zoë", "Żółć", "美咲", "O'Brien", "שירה", "ياسمين", "José", "Łukasz", "Nguyễn", "Søren", "Ольга", "Jean-Luc",
        "Ana María", "지훈", "Ünal", "Þóra", "🦊 Fox", "Mary, Jane", 'Robert "Bo"', "D'Angelo",
        "Amara", "Ben", "Carla", "Dev", "Ella", "Felix", "Grace", "Hugo", "Imani", "Jonas", "Kofi", "Lena",
        "Marcus", "Nadia", "Omar", "Priya", "Quinn", "Rosa", "Sam", "Tariq", "Uma", "Victor", "Wren", "Xavier",
        "Yara", "Zane", "Aiden", "Bianca", "Cole", "Dalia", "Eli", "Freya", "Gus", "Hana", "Ivan", "Jade",
        "Kai", "Luca", "Mia", "Noor",
    ],
    "handles": [
        "sole_collector", "lace_lover", "kickflip", "heel_toe", "deadstock_dan", "grail_hunter", "boxfresh",
        "midsole_mike", "retro_rae", "tongue_tag", "outsole", "pairs_only", "size_run", "toe_box", "gum_sole",
        "aglet", "ankle_pad", "eyelet", "heat_check", "on_foot",
    ],
    "bios": [
        "Trading since 2019.", "Size up, always.", "Looking for grails, open to offers",
        'They call me "the vault"', "First line: hello\nSecond line: DM me", "🔥👟 heat only 👟🔥",
        "أحب الأحذية الرياضية", "אספן נעליים", "靴が大好き", "Zażółć gęślą jaźń", "Dad, collector, tired",
        'Deadstock, "VNDS", used; all welcome,\nno fakes', "100% legit", "'single' quotes", "=SUM(A1:A9)",
        "Runner\tby day", "[[var:firstName]]", "Est. 1988", "kicks > everything", "Només talla 42",
    ],
    "blank_bios": ["", "   ", "\n"],
    "brands": [
        "Aerolith", "Kestrel", "Northlane", "Vantaa", "Solbright", "Ondo", "Marrow & Co", "Fjell", "Tidewalk",
        "Quarry",
    ],
    "models": ["Glide 2", "Court", "Ridge Mid", "Pacer", "Halo Low", "Drift 95", "Summit GTX", "Volley"],
    "colours": ["Café Noir", "Bone, Gum", 'the "Zero"', "Żurawina", "Triple White"],
    "item_statuses": ["OPEN_FOR_TRADE"] * 15 + ["IN_CLOSET"] * 3 + ["PENDING_TRADE", "TRADED"],
    "offer_statuses": [
        *["OPEN"] * 7, *["PENDING"] * 3, *["ACCEPTED"] * 4, *["DECLINED"] * 3, *["CANCELLED"] * 2, "EXPIRED",
    ],
    "platforms": ["ios"] * 11 + ["android"] * 8 + ["web"],
    "freeze_reasons": ["Counterfeit report", "Chargeback", "Unresolved dispute, see ticket"],
}  # fmt: skip
