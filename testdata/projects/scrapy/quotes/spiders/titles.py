import scrapy


class TitlesSpider(scrapy.Spider):
    name = "titles"

    def __init__(self, start_url="https://example.com/", depth="1", **kwargs):
        super().__init__(**kwargs)
        self.start_urls = [start_url]
        self.depth = int(depth)

    def parse(self, response, depth=0):
        yield {"url": response.url, "title": response.css("title::text").get()}
        if depth < self.depth:
            for link in response.css("a::attr(href)").getall():
                yield response.follow(link, self.parse, cb_kwargs={"depth": depth + 1})
