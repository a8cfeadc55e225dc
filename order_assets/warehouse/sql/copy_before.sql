COPY FROM DATABASE before TO warehouse
