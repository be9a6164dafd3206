"""Words that stand in every sentence and say nothing about what is looked for."""

from typing import Final

STOP_WORDS: Final = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            a an and any are as at be been but by can could d did do does for from had has
            have he her his how i if in is it its just ll m me more my no not of on or our
            re s she so some t than that the their them then there they this to up us ve was
            we were what when where which who why will with would you your
        """,
        "it": """
            a ad ai al alla alle anche c che chi ci come con cosa d da dal dalla de dei del
            della delle di e ed era gli ha ho i il in io l la le lo ma mi mia mie miei mio
            ne nel nella non o per piu quando questa questo se si sono su sul sulla tra un
            una uno vi
        """,
        "fr": """
            a ai au aux avec c ce cela ces cette comment d dans de des du elle en est et eu
            il ils j je l la le les leur m ma mais me mes mon n ne nos notre nous on ou par
            pas plus pour qu que qui quand s sa se ses si son suis sur t tu un une vos votre
            vous y
        """,
        "es": """
            a al como con cuando de del desde donde e el ella en es esta este ha he la las
            le les lo los me mi mis muy no nos o para pero por que se si son su sus tu un
            una uno y ya yo
        """,
        "pt": """
            a ao aos as com como da das de do dos e ela ele em era essa esse esta este eu
            foi ha ja la lhe mais mas me meu meus minha minhas na nas no nos nao o os ou
            para pela pelo por porque quando que quem sao se ser seu sua so tem um uma
        """,
    }.items()
}
"""By language, folded as `searching.folded` does."""
