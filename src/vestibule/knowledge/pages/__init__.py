"""Help for everybody, signed in or not: articles, what finds them, their feeds."""

from starlette.routing import Route

from vestibule.knowledge.pages import articles, feeds, finding

routes = [
    Route("/help", finding.start, methods=["GET"]),
    Route("/help/find", finding.find, methods=["GET"]),
    Route("/help/search", finding.search, methods=["GET"]),
    Route("/help/suggest", finding.suggest, methods=["GET"]),
    Route("/help/figures/{language}/{name}", articles.figure, methods=["GET"]),
    Route("/article/{number}", articles.by_number, methods=["GET"]),
    Route("/node/{number}", articles.by_number, methods=["GET"]),
    Route("/taxonomy/term/{number}", finding.term, methods=["GET"]),
    Route("/{language}/article/{number}", articles.article, methods=["GET"]),
    Route("/{language}/node/{number}", articles.article, methods=["GET"]),
    Route("/{language}/article/{number}/feedback", articles.feedback, methods=["POST"]),
    Route("/{language}/tag/{tag}", finding.tag, methods=["GET"]),
    Route("/{language}/tag/{tag}/feed", feeds.feed, methods=["GET"]),
    Route("/{language}/feed", feeds.feed, methods=["GET"]),
]
