import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;

/**
 * Reads tables of Parquet files with parquet-java, each value in the forms of readParquet.py. In: a directory on each line. Out:
 * a line of JSON for each, {"rows": ...}.
 */
public class ReadParquet {
  static String decimal(BigInteger unscaled, PrimitiveType type) {
    int scale = ((DecimalLogicalTypeAnnotation) type.getLogicalTypeAnnotation()).getScale();
    return new BigDecimal(unscaled, scale).toPlainString();
  }

  static String hex(int width, long value) {
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
    return HexFormat.of().formatHex(bytes.array(), 0, width);
  }

  static String form(Group row, int column, PrimitiveType type) {
    boolean isDecimal = type.getLogicalTypeAnnotation() instanceof DecimalLogicalTypeAnnotation;
    switch (type.getPrimitiveTypeName()) {
      case BOOLEAN:
        return row.getBoolean(column, 0) ? "True" : "False";
      case INT32:
        int small = row.getInteger(column, 0);
        return isDecimal ? decimal(BigInteger.valueOf(small), type) : Integer.toString(small);
      case INT64:
        long large = row.getLong(column, 0);
        return isDecimal ? decimal(BigInteger.valueOf(large), type) : Long.toString(large);
      case FLOAT:
        return hex(4, Float.floatToRawIntBits(row.getFloat(column, 0)));
      case DOUBLE:
        return hex(8, Double.doubleToRawLongBits(row.getDouble(column, 0)));
      default:
        byte[] bytes = row.getBinary(column, 0).getBytes();
        return isDecimal ? decimal(new BigInteger(bytes), type) : HexFormat.of().formatHex(bytes);
    }
  }

  static void read(Path file, List<String> rows) throws Exception {
    try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(file))) {
      MessageType schema = reader.getFileMetaData().getSchema();
      for (PageReadStore pages; (pages = reader.readNextRowGroup()) != null; ) {
        var records = new ColumnIOFactory().getColumnIO(schema).getRecordReader(pages, new GroupRecordConverter(schema));
        for (long row = 0; row < pages.getRowCount(); row++) {
          Group group = (Group) records.read();
          List<String> values = new ArrayList<>();
          for (int column = 0; column < schema.getFieldCount(); column++) {
            boolean isNull = group.getFieldRepetitionCount(column) == 0;
            PrimitiveType type = schema.getType(column).asPrimitiveType();
            values.add(isNull ? "null" : '"' + form(group, column, type) + '"');
          }
          rows.add("[" + String.join(",", values) + "]");
        }
      }
    }
  }

  public static void main(String[] args) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String directory; (directory = in.readLine()) != null; ) {
      List<String> rows = new ArrayList<>();
      List<Path> files;
      try (var all = Files.list(Path.of(directory))) {
        files = all.filter(file -> file.toString().endsWith(".parquet")).sorted().toList();
      }
      for (Path file : files) read(file, rows);
      out.println("{\"rows\":[" + String.join(",", rows) + "]}");
    }
  }
}
