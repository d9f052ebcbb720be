import scrapy


class LinksSpider(scrapy.Spider):
    name = "links"
    start_urls = ["https://example.com/"]

    def parse(self, response):
        for link in response.css("a::attr(href)").getall():
            yield {"link": response.urljoin(link)}
